# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""What happens besides the phases of objects: requests, attempts and the rounds of controllers."""

from dataclasses import dataclass

from .world import WorldObject


@dataclass(frozen=True)
class NotebookAttempt:
    """The notebook controller asked the Kubernetes API for a StatefulSet; the API may refuse it."""

    namespace: str
    failed: bool


@dataclass(frozen=True)
class ProfileRequest:
    """The profile controller handled a request of that `kind`; `error` is what it failed with, if it did."""

    kind: str
    error: str = ''


@dataclass(frozen=True)
class AccessRequest:
    """A user asked kfam (access management). `kind` is empty or `forbidden`, `error` what it failed with, if it did."""

    user: str
    action: str
    path: str
    kind: str = ''
    error: str = ''


@dataclass(frozen=True)
class Inference:
    """One request to a model server. Times are in seconds, sizes in bytes, `status` is the HTTP status.

    `verb` is predict, explain, or ready (a GET that no model sees).
    """

    server: str
    model: str
    verb: str
    protocol: str
    status: int
    preprocess: float
    predict: float
    postprocess: float
    request_bytes: int
    response_bytes: int

    @property
    def seconds(self) -> float:
        """Time of the whole request."""
        return self.preprocess + self.predict + self.postprocess

    @property
    def method(self) -> str:
        return 'GET' if self.verb == 'ready' else 'POST'


@dataclass(frozen=True)
class PipelinesCall:
    """A call of the Pipelines API by its method in v2beta1, with the gRPC code of its answer.

    `run` is its subject where it has one; `first` says that this is the first report of it.
    """

    method: str
    code: str = 'OK'
    run: WorldObject | None = None
    first: bool = False


@dataclass(frozen=True)
class WorkflowCollected:
    """The API server deletes the Workflow of a run whose time to live is over."""


@dataclass(frozen=True)
class PodUnschedulable:
    """No node has room for the pod of that run, which waits."""

    run: WorldObject


@dataclass(frozen=True)
class ScheduleSync:
    """The scheduled-workflow controller looked at a recurring run; it may have `submitted` a run, or `failed` to.

    `lag` is by how many seconds each call to the Kubernetes API took longer than it should. `waited` says that the
    recurring run had to wait for others.
    """

    submitted: bool
    failed: bool
    lag: float = 0.0
    waited: bool = False


@dataclass(frozen=True)
class ScheduleQueued:
    """A recurring run waits for the scheduled-workflow controller, the last of `length`."""

    length: int


@dataclass(frozen=True)
class WorkQueued:
    """That controller has something to do for the object called `key`, and does not come to it."""

    controller: str
    key: str
