# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Write what derives from the catalogue and the table of endpoints: `metadata.csv` and the blocks of the pages.

python kubeflow/scripts/generate.py            write the files that are stale
python kubeflow/scripts/generate.py --check    write nothing; exit 1 and name the stale files
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path

from datadog_checks.kubeflow.catalogue import NAMESPACE, Catalogue, Component, Entry, Source, load_catalogue

INTEGRATION = Path(__file__).parent.parent
# Nothing installs `bench` and `deploy`, nor what is beside this file.
sys.path[:0] = [str(INTEGRATION.parent), str(Path(__file__).parent)]
from cost import HEADER as COST_HEADER  # noqa: E402
from cost import cost_rows  # noqa: E402
from korean import in_korean  # noqa: E402
from series import HEADER as SERIES_HEADER  # noqa: E402
from series import series_rows, trimming_rows  # noqa: E402

from deploy.annotations import v1, v2  # noqa: E402
from deploy.endpoints import PROFILE, Endpoint, read  # noqa: E402

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
    endpoints = read()
    blocks = {
        'coverage': coverage_table(catalogue),
        'documented': documented_table(catalogue),
        'endpoints': endpoints_table(catalogue, endpoints),
        'federation': federation_snippet(catalogue),
        'selectors': selectors_list(catalogue),
        'metrics': metrics_tables(catalogue),
        'monitors': monitors_table(),
        'buckets': widgets_with_buckets(),
        'series': _table(SERIES_HEADER, series_rows(catalogue)),
        'trimming': _table(*trimming_rows(catalogue)),
        'cost': _table(COST_HEADER, cost_rows()),
        **component_blocks(endpoints),
    }
    # A page in Korean is beside the one in English, as README.ko.md.
    languages = {'.md': blocks, '.ko.md': {name: in_korean(block) for name, block in blocks.items()}}
    for path in (*sorted(INTEGRATION.glob('*.md')), *sorted(INTEGRATION.parent.glob('*.md'))):
        text = path.read_text(encoding='utf-8')
        for name, block in languages[''.join(path.suffixes)].items():
            marker = f'(<!-- generated: {name} -->\n).*?(<!-- end -->)'
            text = re.sub(marker, lambda match, block=block: f'{match[1]}{block}{match[2]}', text, flags=re.DOTALL)
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


ENDPOINT_COLUMNS = tuple(
    'Component|Its releases|Kubeflow|Namespace|Container|Endpoint|Found by|What it takes'.split('|')
)


def endpoints_table(catalogue: Catalogue, endpoints: Iterable[Endpoint]) -> str:
    """Where each component's exposition is, how an Agent finds it, and what it takes to scrape it."""
    rows = [
        (
            catalogue.components[endpoint.component].title,
            endpoint.programs,
            _releases(endpoint),
            _namespace(endpoint),
            f'`{endpoint.container}`',
            f'`{endpoint.url}`',
            _found_by(endpoint),
            ', '.join(_takes(endpoint)),
        )
        for endpoint in endpoints
    ]
    return _table(ENDPOINT_COLUMNS, rows)


def component_blocks(endpoints: Iterable[Endpoint]) -> dict[str, str]:
    """By name of the block what there is to know of each component's endpoints, with the annotations.

    Rows that follow each other and are annotated alike share the annotations.
    """
    blocks: dict[str, str] = {}
    for (component, container, _), alike in groupby(endpoints, lambda each: (each.component, each.container, each.url)):
        forms = list(alike)
        instance = forms[0].instance
        name = f'component {component}'
        blocks[name] = (
            f'{blocks.get(name, "")}{"".join(_facts(endpoint) for endpoint in forms)}'
            f'{_snippet(v2(container, instance))}\nBefore Agent 7.36:\n\n{_snippet(v1(container, instance))}\n'
        )
    return blocks


def _facts(endpoint: Endpoint) -> str:
    facts = {
        'Releases': endpoint.programs,
        'Kubeflow': _releases(endpoint),
        'Namespace': _namespace(endpoint),
        'Container': f'`{endpoint.container}`',
        'Image': ', '.join(f'`{image}`' for image in endpoint.images),
        'Port': _port(endpoint),
        'Service': '`{name}`, port `{port}`'.format(**endpoint.service) if endpoint.service else '',
        'What it takes': ', '.join(_takes(endpoint)),
        'Found by': _found_by(endpoint),
        'Why by no file': endpoint.no_auto,
    }
    return ''.join(f'- {name}: {fact}\n' for name, fact in facts.items() if fact) + '\n'


def _snippet(annotations: Mapping[str, str]) -> str:
    lines = ''.join(f"    {name}: '{text}'\n" for name, text in annotations.items())
    return f'```yaml\nmetadata:\n  annotations:\n{lines}```\n'


def _releases(endpoint: Endpoint) -> str:
    """The releases of the distribution, which follow each other in every row."""
    return ' to '.join(dict.fromkeys((endpoint.kubeflow[0], endpoint.kubeflow[-1]))) if endpoint.kubeflow else ''


def _namespace(endpoint: Endpoint) -> str:
    return "the user's" if endpoint.namespace == PROFILE else f'`{endpoint.namespace}`'


def _found_by(endpoint: Endpoint) -> str:
    return f'`{endpoint.auto_conf}`' if endpoint.auto_conf else 'annotation'


def _port(endpoint: Endpoint) -> str:
    if not endpoint.port or not endpoint.declared:
        return str(endpoint.port or '')
    how = 'without a name' if endpoint.declared == 'unnamed' else f'as `{endpoint.declared}`'
    return f'{endpoint.port}, declared {how}'


def _takes(endpoint: Endpoint) -> Iterator[str]:
    """What has to be switched on, given to the check or opened on the way."""
    if endpoint.needs:
        yield endpoint.needs
    if endpoint.scheme == 'https':
        yield '`tls_verify: false`'
    if endpoint.auth == 'token':
        yield 'a token'
    if endpoint.network:
        yield 'a NetworkPolicy'
    if endpoint.istio:
        yield 'a way past Istio'


def monitors_table() -> str:
    """The monitors in the order of the manifest, with the first sentence of what each says of itself."""
    manifest = json.loads((INTEGRATION / 'manifest.json').read_text(encoding='utf-8'))
    rows = []
    for title, path in manifest['assets']['monitors'].items():
        description = json.loads((INTEGRATION / path).read_text(encoding='utf-8'))['description']
        rows.append((f'[{title}]({path})', description.partition('. ')[0].removesuffix('.')))
    return _table(('Monitor', 'What it tells'), rows)


def widgets_with_buckets() -> str:
    """The titles of the dashboard's widgets that ask for the buckets of a histogram."""
    dashboard = json.loads(
        (INTEGRATION / 'assets' / 'dashboards' / 'kubeflow_overview.json').read_text(encoding='utf-8')
    )
    widgets = [
        widget['definition'] for group in dashboard['widgets'] for widget in group['definition'].get('widgets', ())
    ]
    return ''.join(f'- *{widget["title"]}*\n' for widget in widgets if '.bucket{' in json.dumps(widget))


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
