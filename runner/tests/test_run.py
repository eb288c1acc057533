# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Whole runs of the command, each in a process of its own."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from urllib.request import urlopen

import pytest

from simulator.releases import RELEASES, deployments

from .conftest import ROOT

# A tag longer than any terminal is wide.
NAMESPACE = 'team-' + 'x' * 300


def katib(created, running=1):
    return (
        '# TYPE katib_experiment_created_total counter\n'
        f'katib_experiment_created_total{{namespace="{NAMESPACE}"}} {created}\n'
        '# TYPE katib_experiments_current gauge\n'
        f'katib_experiments_current{{namespace="{NAMESPACE}",status="Running"}} {running}\n'
    )


HISTOGRAM = """# TYPE request_predict_seconds histogram
request_predict_seconds_bucket{{model_name="m",le="0.5"}} {0}
request_predict_seconds_bucket{{model_name="m",le="+Inf"}} {1}
request_predict_seconds_sum{{model_name="m"}} {1}
request_predict_seconds_count{{model_name="m"}} {1}
"""

LEFT_OUT = (
    'Left out, for no option of the check gets past what stands there: '
    'Notebook controller behind Istio (simulator:notebook-controller-istio), '
    'Login page of the gateway (simulator:login-page).'
)

LOGIN_PAGE = '<!doctype html><html><body>Sign in</body></html>'


def rows(output, metric):
    return [re.split(r'\s{2,}', line) for line in output.splitlines() if line.split(' ', 1)[0] == metric]


def test_table(run_check, serve):
    url = serve(katib(4), katib(7, running=2))
    result = run_check(url, '--pause', '0')
    assert result.returncode == 0, result.stderr
    assert result.stderr == ''
    assert '\x1b' not in result.stdout
    tags = f'endpoint:{url}, namespace:{NAMESPACE}'
    created, *_ = rows(result.stdout, 'kubeflow.katib.experiment.created.count')
    assert (created[1], created[3:]) == ('count', ['3', tags])
    before, after, *_ = rows(result.stdout, 'kubeflow.katib.experiment.running.total')
    assert (before[1], before[3:]) == ('gauge', ['1', tags])
    assert (after[1], after[3:]) == ('gauge', ['2', tags])
    assert not [line for line in result.stdout.splitlines() if line != line.rstrip()]


def test_status_block(run_check, serve):
    url = serve(katib(4))
    lines = run_check(url, '--pause', '0', '--times', '3').stdout.splitlines()
    start = lines.index('  Running Checks')
    block = [re.sub(r'\d{4}-.*\)$|\d+ms$|[0-9a-f]{16}', '...', line) for line in lines[start : start + 16]]
    assert re.match(r'    kubeflow \(\d+\.\d+\.\d+\)$', block.pop(3))
    assert re.match(r'    -+$', block.pop(3))
    assert block == [
        '  Running Checks',
        '  ==============',
        '',
        '      Instance ID: kubeflow:... [OK]',
        f'      Configuration Source: command line:{url}',
        '      Total Runs: 3',
        '      Metric Samples: Last Run: 3, Total: 9',
        '      Events: Last Run: 0, Total: 0',
        '      Service Checks: Last Run: 1, Total: 3',
        '      First Execution Time : ...',
        '      Average Execution Time : ...',
        '      Last Execution Date : ...',
        '      Last Successful Execution Date : ...',
        '      metadata:',
    ]
    assert '  Metadata' in lines


def test_json(run_check, serve):
    url = serve(katib(4), katib(7))
    result = run_check('--json', '--pause', '0', url)
    assert result.returncode == 0
    (instance,) = json.loads(result.stdout)
    assert set(instance) == {'aggregator', 'runner', 'inventories'}
    assert set(instance['aggregator']) == {'metrics', 'service_checks'}
    series = {each['metric']: each for each in instance['aggregator']['metrics']}
    created = series['kubeflow.katib.experiment.created.count']
    timestamp = created['points'][0][0]
    assert created == {
        'metric': 'kubeflow.katib.experiment.created.count',
        'points': [[timestamp, 3.0]],
        'tags': sorted([f'endpoint:{url}', f'namespace:{NAMESPACE}']),
        'host': created['host'],
        'type': 'count',
        'interval': 0,
        'source_type_name': 'System',
    }
    assert abs(time.time() - timestamp) < 60
    assert [each['status'] for each in instance['aggregator']['service_checks']] == [0, 0]
    assert instance['runner']['TotalRuns'] == 2
    assert instance['runner']['LastError'] == ''
    assert 'of 48 came.' in result.stderr


def test_one_run_has_no_counts(run_check, serve):
    result = run_check(serve(katib(4)), '--times', '1')
    assert result.returncode == 0
    (row,) = rows(result.stdout, 'kubeflow.katib.experiment.created.count')
    assert row[1] == 'sampled once; a count is the difference of two runs'
    assert result.stdout.splitlines()[-1] == 'The check has run only once: with --times 2 there are counts too.'


def test_configuration_file(run_check, serve, tmp_path):
    path = tmp_path / 'conf.yaml'
    # Two runs of the command, two scrapes each.
    counts = ((1, 2), (3, 5), (4, 6), (6, 9))
    endpoints = serve(katib(4)), serve(*(HISTOGRAM.format(*pair) for pair in counts))
    instances = [
        {'openmetrics_endpoint': endpoints[0], 'tags': ['team:a'], 'service': 'katib'},
        {'openmetrics_endpoint': endpoints[1], 'histogram_buckets_as_distributions': True},
    ]
    path.write_text(json.dumps({'ad_identifiers': ['x'], 'init_config': None, 'instances': instances}))
    result = run_check('--config', str(path), '--json', '--pause', '0')
    assert result.returncode == 0, result.stdout
    first, second = json.loads(result.stdout)
    assert first['runner']['CheckConfigSource'] == f'file:{path}[0]'
    for each in first['aggregator']['metrics']:
        assert {'team:a', 'service:katib'} <= set(each['tags'])
    (sketch,) = second['aggregator']['sketches']
    assert sketch['metric'] == 'kubeflow.kserve.inference.duration.seconds'
    assert sketch['buckets'] == [[0, 0.5, 2], [0.5, '+Inf', 1]]
    assert second['runner']['HistogramBuckets'] == 2
    reason = rows(result.stderr, 'kubeflow.kserve.inference.duration.seconds.bucket')[0][1]
    assert reason == 'left out by the instance options; request_predict_seconds is there'
    table = run_check('--config', str(path), '--pause', '0').stdout
    assert 'Multiple check instances found, running each of them' in table
    assert '=== Sketches ===' in table
    assert '      Histogram Buckets: Last Run: 2, Total: 4' in table


def test_an_instance_that_cannot_be_configured(run_check, serve, tmp_path):
    path = tmp_path / 'conf.yaml'
    instances = [{}, {'openmetrics_endpoint': serve(katib(4)), 'metric_patterns': 3}]
    path.write_text(json.dumps({'instances': instances}))
    result = run_check('--config', str(path), '--pause', '0')
    assert result.returncode == 1
    assert result.stdout.count('[ERROR]') == 2
    assert '      Error: Setting `metric_patterns` must be a mapping\n      Traceback' in result.stdout
    assert 'Last Successful Execution Date : Never' in result.stdout


@pytest.mark.parametrize('form', ['--table', '--json'])
def test_failure_of_one_instance(run_check, serve, form):
    result = run_check(serve(katib(4)), serve(LOGIN_PAGE), form, '--pause', '0')
    assert result.returncode == 1
    if form == '--json':
        good, bad = json.loads(result.stdout)
        assert not good['runner']['LastError']
        (error,) = json.loads(bad['runner']['LastError'])
        assert set(error) == {'message', 'traceback'}
        assert bad['runner']['TotalErrors'] == 2
    else:
        assert '[OK]' in result.stdout
        assert '[ERROR]' in result.stdout


def test_tags_are_printed_as_they_are(run_check, serve, tmp_path):
    path = tmp_path / 'conf.yaml'
    instance = {'openmetrics_endpoint': serve(katib(4)), 'tags': ['model:fire:x', 'a:[red]b'], 'name': 'one'}
    path.write_text(json.dumps({'instances': [instance]}))
    output = run_check('--config', str(path), '--times', '1').stdout
    assert re.search(r'gauge +\d+ +1 +a:\[red\]b, endpoint:\S+, model:fire:x, namespace:', output)
    assert 'Instance ID: kubeflow:one:' in output


def test_a_warning_is_the_state_of_an_instance(run_check, serve):
    output = run_check(serve('# TYPE shop_orders gauge\nshop_orders 1\n'), '--pause', '0').stdout
    assert '[WARNING]' in output
    assert "Warning: Nothing at " in output


def test_the_init_config_of_a_file_is_the_check_s(run_check, serve, tmp_path):
    path = tmp_path / 'conf.yaml'
    instances = [{'openmetrics_endpoint': serve(katib(4))}]
    path.write_text(json.dumps({'init_config': {'timeout': 'soon'}, 'instances': instances}))
    result = run_check('--config', str(path), '--times', '1')
    assert result.returncode == 1
    assert re.search(r'Error: .*SharedConfig', result.stdout)


def test_the_last_run_decides(run_check, serve):
    assert run_check(serve(LOGIN_PAGE, katib(4)), '--pause', '0').returncode == 0
    assert run_check(serve(katib(4), LOGIN_PAGE), '--pause', '0').returncode == 1


def test_nothing_secret_is_printed(run_check):
    result = run_check('http://someone:hunter2@127.0.0.1:9/metrics?token=abcdef', '--times', '1')
    assert result.returncode == 1
    assert 'http://127.0.0.1:9/metrics' in result.stdout
    assert not re.search('hunter2|abcdef', result.stdout + result.stderr)


def test_without_arguments_the_simulator_is_checked(run_check):
    result = run_check()
    assert result.returncode == 0, result.stdout
    assert '\n34 of 48 came.\n' in result.stdout
    assert result.stdout.count('no release of any component exposes it') == 14
    assert '[ERROR]' not in result.stdout
    assert '[WARNING]' not in result.stdout
    sources = re.findall('Configuration Source: simulator:(.*)', result.stdout)
    assert sources == [each.name for each in deployments(None)]
    assert result.stdout.splitlines()[0] == LEFT_OUT


def test_a_release_of_kubeflow_is_checked_through_its_doors(run_check):
    release = RELEASES[-1]
    result = run_check('--kubeflow', release, '--json')
    assert result.returncode == 0, result.stdout
    instances = json.loads(result.stdout)
    sources = [each['runner']['CheckConfigSource'] for each in instances]
    assert sources == [f'simulator:{each.name}' for each in deployments(release)]
    for each in instances:
        assert each['runner']['LastError'] == ''
        assert each['runner']['TotalMetricSamples'] > 0, each['runner']['CheckConfigSource']
    assert result.stderr.splitlines()[0] == LEFT_OUT


def test_the_simulator_s_token_is_not_printed(tmp_path):
    with subprocess.Popen(
        [sys.executable, '-m', 'runner', '--pause', '3'],
        cwd=ROOT,
        env={**os.environ, 'TMPDIR': str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as program:
        token = ''
        while program.poll() is None and not token:
            for file in tmp_path.glob('*/token'):
                token = file.read_text()
            time.sleep(0.01)
        output, _ = program.communicate(timeout=60)
    assert program.returncode == 0, output
    assert len(token) >= 32
    assert token not in output
    assert not list(tmp_path.iterdir())


def test_control_c(serve):
    scraped = threading.Event()

    class Payload(str):
        def encode(self):
            scraped.set()
            return super().encode()

    url = serve(Payload(katib(4)))
    with subprocess.Popen(
        [sys.executable, '-m', 'runner', '--times', '1000', '--pause', '0.01', url],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert scraped.wait(30)
        program.send_signal(signal.SIGINT)
        output, errors = program.communicate(timeout=30)
    assert program.returncode == 130
    assert (output, errors) == ('', '')
    with urlopen(url, timeout=5) as response:
        assert response.status == 200
