# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Write what derives from the catalogue: `metadata.csv` and the tables of the two READMEs.

python kubeflow/scripts/generate.py            write the files that are stale
python kubeflow/scripts/generate.py --check    write nothing; exit 1 and name the stale files
"""

from __future__ import annotations

import argparse
import csv
import io
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from datadog_checks.kubeflow.catalogue import NAMESPACE, Catalogue, Component, Entry, Source, load_catalogue

INTEGRATION = Path(__file__).parent.parent
HEADER = (
    'metric_name,metric_type,interval,unit_name,per_unit_name,description,orientation,integration,short_name,'
    'curated_metric,sample_tags'
).split(',')
PART_OF = {
    'bucket': 'Observations up to the bound in the tag upper_bound. ',
    'count': 'Number of observations. ',
    'sum': 'Sum of the observations. ',
    'quantile': 'By the tag quantile. ',
}


def files(catalogue: Catalogue) -> Iterator[tuple[Path, str]]:
    """Yield each generated file and the text it should hold."""
    yield INTEGRATION / 'metadata.csv', metadata(catalogue)
    tables = {
        'coverage': coverage_table(catalogue),
        'documented': documented_table(catalogue),
        'endpoints': endpoints_table(catalogue),
        'federation': federation_snippet(catalogue),
        'selectors': selectors_list(catalogue),
        'metrics': metrics_tables(catalogue),
    }
    for path in (INTEGRATION / 'README.md', INTEGRATION.parent / 'README.md'):
        text = path.read_text(encoding='utf-8')
        for name, table in tables.items():
            marker = f'(<!-- generated: {name} -->\n).*?(<!-- end -->)'
            text = re.sub(marker, lambda match, table=table: f'{match[1]}{table}{match[2]}', text, flags=re.DOTALL)
        yield path, text


def metadata(catalogue: Catalogue) -> str:
    rows = [row for entry in catalogue.metrics for row in _rows(entry)]
    out = io.StringIO()
    writer = csv.DictWriter(out, HEADER, restval='', lineterminator='\n')
    writer.writeheader()
    writer.writerows(sorted(rows, key=lambda row: row['metric_name']))
    return out.getvalue()


def _rows(entry: Entry) -> Iterator[dict[str, str]]:
    yield from _rows_named(entry, entry.name, entry.description)
    if entry.alias:
        alias_of = (
            f'Alias of {NAMESPACE}.{entry.name} as one published page spells it; only with submit_reconcide_alias.'
        )
        yield from _rows_named(entry, entry.alias, alias_of)


def _rows_named(entry: Entry, name: str, description: str) -> Iterator[dict[str, str]]:
    for full_name, kind in entry.submitted(name).items():
        part = full_name.rpartition('.')[2] if entry.type in ('histogram', 'summary') else ''
        yield {
            'metric_name': full_name,
            'metric_type': kind,
            'unit_name': '' if part in ('bucket', 'count') else entry.unit,
            'description': PART_OF.get(part, '') + description,
            'orientation': str(entry.orientation),
            'integration': NAMESPACE,
            'short_name': full_name.removeprefix(f'{NAMESPACE}.').replace('.', ' ').replace('_', ' '),
        }


def _short(entry: Entry, source: Source | None = None) -> str:
    """The submitted names in one cell, as far as `source` feeds them: `kubeflow.x.{bucket,count,sum}`."""
    if entry.type in ('histogram', 'summary'):
        parts = source.parts if source and source.parts else entry.parts
        return f'`{NAMESPACE}.{entry.name}.{{{",".join(parts)}}}`'
    return f'`{entry.submitted_names()[0]}`'


def _bare(entry: Entry, source: Source | None = None) -> str:
    return _short(entry, source).replace(f'`{NAMESPACE}.', '`', 1)


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [header, tuple('---' for _ in header), *rows]
    return ''.join(f'| {" | ".join(line)} |\n' for line in lines)


def coverage_table(catalogue: Catalogue) -> str:
    """Each component and release with the documented metrics it feeds, without the prefix they share."""
    fed: dict[tuple[str, str, str], list[str]] = {}
    for component in catalogue.components.values():
        for entry in catalogue.metrics:
            for source in entry.component_sources if entry.documented else ():
                if source.component == component.id:
                    names = fed.setdefault((component.title, source.releases, source.opt_in or ''), [])
                    if _bare(entry, source) not in names:
                        names.append(_bare(entry, source))
    rows = [(title, releases, ', '.join(names), opt_in) for (title, releases, opt_in), names in fed.items()]
    none = [_bare(entry) for entry in catalogue.metrics if entry.documented and not entry.component_sources]
    rows.append(('no component', 'no release', ', '.join(none), ''))
    return _table(('Component', 'Releases', 'Documented metrics', 'Needs'), rows)


def documented_table(catalogue: Catalogue) -> str:
    """Each documented metric with every source, one row a source."""
    rows = []
    for entry in catalogue.metrics:
        if not entry.documented:
            continue
        name = _short(entry)
        if not entry.component_sources:
            rows.append((name, 'no component, in no release', '', ''))
        for source in entry.component_sources:
            raw = ' + '.join(f'`{raw_name}`' for raw_name in source.families)
            if source.parts:
                raw = f'{raw} (only {", ".join(source.parts)})'
            releases = f'{source.releases}; opt-in: {source.opt_in}' if source.opt_in else source.releases
            rows.append((name, catalogue.components[source.component].title, raw, releases))
            name = ''
    return _table(('Metric', 'Comes from', 'Raw family', 'Releases'), rows)


def endpoints_table(catalogue: Catalogue) -> str:
    """Where each component's exposition is."""
    rows = [
        (component.title, component.container, f'`{component.endpoint}`', component.needs)
        for component in catalogue.components.values()
        if component.endpoint
    ]
    return _table(('Component', 'Container', 'Endpoint', 'Needs'), rows)


# What follows the name of a family in those of its series.
SUFFIXES = '(_bucket|_count|_sum|_total)?'


def selectors(catalogue: Catalogue, entries: Iterable[Entry]) -> dict[str, list[str]]:
    """By component id the Prometheus selectors of what feeds some entries, as a query string may hold them.

    A family that others expose too is narrowed to samples that have the labels each of its sources asks for. No
    selector holds a `+`, a `&` or a `#`, which mean something else in a URL.
    """
    labels: dict[str, dict[str, frozenset[str]]] = {}
    for entry in entries:
        for source in entry.component_sources:
            asked = {family: frozenset(source.where.labels) for family in source.families}
            asked |= dict.fromkeys((*source.zero, *([source.beside] if source.beside else [])), frozenset())
            families = labels.setdefault(source.component, {})
            for family, names in asked.items():
                families[family] = families.get(family, names) & names
    return {
        component.id: list(_selectors(component, labels[component.id]))
        for component in catalogue.components.values()
        if component.id in labels
    }


def _selectors(component: Component, labels: Mapping[str, frozenset[str]]) -> Iterator[str]:
    families: dict[tuple[str, ...], list[str]] = {}
    for family, names in labels.items():
        families.setdefault(tuple(sorted(names)), []).append(family.removesuffix('_total'))
    for names, group in families.items():
        matchers = [f'__name__=~"({"|".join(group)}){SUFFIXES}"']
        for name in names:
            values = '|'.join(sorted(component.controllers)) if name == 'controller' else ''
            matchers.append(f'{name}=~"{values}"' if values else f'{name}!=""')
        yield f'{{{",".join(matchers)}}}'


# Whether a target answers, and since when its counters count.
OF_EVERY_TARGET = ('up', 'process_start_time_seconds')


def federation_snippet(catalogue: Catalogue) -> str:
    """The conf.yaml of an instance that reads what the documented metrics come from at a Prometheus server."""
    chosen = selectors(catalogue, (entry for entry in catalogue.metrics if entry.documented))
    matches = [*OF_EVERY_TARGET, *(selector for of_component in chosen.values() for selector in of_component)]
    query = '\\\n      &'.join(f'match[]={match}'.replace('"', '\\"') for match in matches)
    return (
        '```yaml\ninstances:\n'
        f'  - openmetrics_endpoint: "http://prometheus.monitoring.svc:9090/federate?{query}"\n```\n'
    )


def selectors_list(catalogue: Catalogue) -> str:
    """The selectors of everything the check reads, by component."""
    lines = []
    for component_id, of_component in selectors(catalogue, catalogue.metrics).items():
        component = catalogue.components[component_id]
        lines.append(f'# {component.title}{", of any program" if component.shared else ""}')
        lines += [f'match[]={selector}' for selector in of_component]
    return '```text\n' + ''.join(f'{line}\n' for line in lines) + '```\n'


def metrics_tables(catalogue: Catalogue) -> str:
    """All metrics, a table for each file of the catalogue."""
    groups: dict[str, list[Entry]] = {}
    for entry in catalogue.metrics:
        groups.setdefault(entry.group, []).append(entry)
    parts = []
    for group, entries in groups.items():
        rows = [(_short(entry), entry.unit, ' '.join(entry.description.split())) for entry in entries]
        parts.append(f'#### {group.capitalize()}\n\n{_table(("Metric", "Unit", "What it is"), rows)}\n')
    return ''.join(parts)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--check', action='store_true', help='write nothing, fail where a file is stale')
    check = parser.parse_args(arguments).check
    stale = [
        (path, text)
        for path, text in files(load_catalogue())
        if not path.exists() or path.read_text(encoding='utf-8') != text
    ]
    for path, text in stale:
        print(f'{"stale" if check else "wrote"}: {path.relative_to(INTEGRATION.parent)}')
        if not check:
            path.write_text(text, encoding='utf-8')
    return 1 if check and stale else 0


if __name__ == '__main__':
    sys.exit(main())
