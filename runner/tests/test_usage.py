# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
import pytest

from simulator.releases import UnknownRelease, deployments

from ..cli import main
from ..configuration import Instance, distinct, from_file, from_url
from ..redaction import redacted


@pytest.fixture
def message(capsys):
    """Run the command with arguments that it cannot accept and give what it says."""

    def run(*arguments):
        try:
            status = main(arguments)
        except SystemExit as stop:
            status = stop.code
        captured = capsys.readouterr()
        assert status == 2
        assert captured.out == ''
        assert captured.err.count('\n') == 1
        return captured.err.rstrip('\n')

    return run


@pytest.mark.parametrize(
    'arguments, expected',
    [
        (['localhost:8080'], "check: argument URL: 'localhost:8080' is no http:// or https:// URL"),
        (['http:///x'], "check: argument URL: 'http:///x' is no http:// or https:// URL"),
        (['http://h:port/'], "check: argument URL: 'http://h:port/' is no http:// or https:// URL"),
        (['ftp://u:pw@h/?t=1'], "check: argument URL: 'ftp://h/' is no http:// or https:// URL"),
        (['u:pw@h/m'], "check: argument URL: 'a malformed URL' is no http:// or https:// URL"),
        (['http://u:p/w@h/m'], "check: argument URL: 'a malformed URL' is no http:// or https:// URL"),
        (['http:u:pw@h/m'], "check: argument URL: 'a malformed URL' is no http:// or https:// URL"),
        (['http://h/', '--config', 'f'], 'check: give URLs, --config or --kubeflow, and no two of them'),
        (['http://h/', '--kubeflow', '1.9'], 'check: give URLs, --config or --kubeflow, and no two of them'),
        (['--kubeflow', '1.9', '--config', 'f'], 'check: give URLs, --config or --kubeflow, and no two of them'),
        (['--times', '0'], "check: argument --times: '0' is no whole number above 0"),
        (['--times', 'two'], "check: argument --times: 'two' is no whole number above 0"),
        (['--pause=-1'], "check: argument --pause: '-1' is no number of seconds"),
        (['--pause', 'nan'], "check: argument --pause: 'nan' is no number of seconds"),
        (['--pause', 'soon'], "check: argument --pause: 'soon' is no number of seconds"),
        (['--json', '--table'], 'check: argument --table: not allowed with argument --json'),
        (['--what'], 'check: unrecognized arguments: --what'),
    ],
)
def test_bad_arguments(message, arguments, expected):
    assert message(*arguments) == expected


@pytest.mark.parametrize(
    'content, expected',
    [
        ('instances:\n  - a: [1\n', ":3: not YAML: expected ',' or ']', but got '<stream end>'"),
        ('a: 1\n\tb: 2\n', ":2: not YAML: found character '\\t' that cannot start any token"),
        ('a: \x00\n', ': not YAML: unacceptable character #x0000: special characters are not allowed'),
        ('', ': there is no `instances` section'),
        ('init_config:\n', ': there is no `instances` section'),
        ('- a\n', ': there is no `instances` section'),
        ('instances:\n', ': `instances` is not a list of at least one instance'),
        ('instances: []\n', ': `instances` is not a list of at least one instance'),
        ('instances: [{}, x]\n', ': entry 2 of `instances` is not a mapping'),
        ('init_config: [1]\ninstances: [{}]\n', ': `init_config` is not a mapping'),
    ],
)
def test_bad_configuration(message, tmp_path, content, expected):
    path = tmp_path / 'conf.yaml'
    path.write_text(content)
    assert message('--config', str(path)) == f'check: {path}{expected}'


def test_unreadable_configuration(message, tmp_path):
    missing = tmp_path / 'missing.yaml'
    assert message('--config', str(missing)) == f'check: {missing}: No such file or directory'
    assert message('--config', str(tmp_path)) == f'check: {tmp_path}: Is a directory'
    binary = tmp_path / 'binary.yaml'
    binary.write_bytes(b'\xff\xfe')
    assert message('--config', str(binary)) == f'check: {binary}: not UTF-8 text'


def test_instances_of_a_file(tmp_path):
    path = tmp_path / 'conf.yaml'
    path.write_text(
        'ad_identifiers: [x]\n'
        'init_config: {timeout: 5}\n'
        'instances:\n'
        '  - openmetrics_endpoint: http://u:pw@h/metrics?t=1\n'
        '  - {}\n'
    )
    assert from_file(path) == [
        Instance(
            f'file:{path}[0]',
            'http://h/metrics',
            {'openmetrics_endpoint': 'http://u:pw@h/metrics?t=1'},
            {'timeout': 5},
        ),
        Instance(f'file:{path}[1]', 'instance 2', {}, {'timeout': 5}),
    ]


def test_the_instance_of_a_url():
    url = 'http://u:pw@h/metrics?t=1'
    assert from_url(url) == Instance('command line:http://h/metrics', 'http://h/metrics', {'openmetrics_endpoint': url})


def test_an_unknown_release(message):
    with pytest.raises(UnknownRelease) as caught:
        deployments('1.2')
    assert message('--kubeflow', '1.2') == f'check: {caught.value}'


def test_equal_instances_run_once():
    first, second, other = (
        Instance(source, source, {'openmetrics_endpoint': url}) for source, url in (('a', 'x'), ('b', 'x'), ('c', 'y'))
    )
    assert distinct([first, second, other]) == [first, other]


@pytest.mark.parametrize(
    'url, expected',
    [
        ('http://h:8080/metrics', 'http://h:8080/metrics'),
        ('http://user:p%40ss@h/metrics?token=1#x', 'http://h/metrics'),
        ('http://a@b@h/', 'http://h/'),
        ('http://[::1', 'a malformed URL'),
    ],
)
def test_redacted(url, expected):
    assert redacted(url) == expected
