# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What a recording makes of widgets and monitors, for a reader."""

from collections.abc import Mapping, Sequence

from .dashboard import GROUP, NOTE
from .monitors import Episode, fired
from .panels import Panel
from .states import State

# From the one that matters most.
ORDER = (State.ALERT, State.WARN, State.NO_DATA, State.OK)


def print_widgets(panels: Sequence[Panel]) -> None:
    """Print of each widget whether it has data, and the metrics of which it has no series."""
    for panel in panels:
        if panel.widget.kind == GROUP:
            print(f'\n{panel.widget.title}')
        elif panel.widget.kind != NOTE:
            title = f'{panel.widget.title} ({panel.widget.kind})'
            without = f'; without series: {", ".join(panel.without)}' if panel.without else ''
            print(f'  {State.NO_DATA if panel.empty else "data":<7}  {title}{without}')


def print_monitors(episodes: Mapping[str, Sequence[Episode]], minutes: int) -> None:
    """Print the state of each monitor at the end, and for which groups it fired and when."""
    print('Monitors')
    for name, all_episodes in episodes.items():
        last = {episode.state for episode in all_episodes if episode.end == minutes}
        state = next((each for each in ORDER if each in last), State.NO_DATA)
        print(f'  {state:<7}  {name}')
        for episode in fired(all_episodes):
            until = f'since minute {episode.begin}'
            if episode.end < minutes:
                until = f'from minute {episode.begin} to {episode.end}'
            print(f'           {episode.state} {until}: {", ".join(episode.group) or "all"}')
