# (C) Datadog, Inc. 2026-present
# All rights reserved
# Licensed under a 3-clause BSD style license (see LICENSE)
"""Profiles (the users' namespaces) and who has access to them."""

from ..events import AccessRequest, ProfileRequest
from ..world import World
from .common import FAULTY_TURN, profile_name, slack, with_each_profile

# All profiles are there after so many seconds.
ARRIVAL = 60.0
# The profile controller cuts the kind of a request after 30 characters.
KIND_LENGTH = 30


class Profiles:
    """Profiles come one after another; later their owners edit them, and some want a namespace that exists."""

    ERRORS = ('context deadline exceeded', 'rolebindings.rbac.authorization.k8s.io conflict')
    REJECTION = 'reject profile taking over existing namespace'

    def __init__(self, world: World):
        self._world = world
        self._random = world.random('profiles')
        self._edits = 0
        for index in range(world.namespaces):
            world.schedule(ARRIVAL * index / world.namespaces, lambda index=index: self._create(profile_name(index)))
        world.schedule(20, self._edit)

    def _create(self, name: str) -> None:
        profile = self._world.create('profile', name, 'Created', name=name)
        self._world.publish(ProfileRequest('reconcile'))
        self._world.schedule(1, lambda: self._world.enter(profile, 'Ready'))

    def _edit(self) -> None:
        self._edits += 1
        if self._edits % FAULTY_TURN == 0:
            self._world.publish(ProfileRequest(self.REJECTION[:KIND_LENGTH]))
        elif self._edits % FAULTY_TURN == 2:
            self._world.publish(ProfileRequest('reconcile', self._random.choice(self.ERRORS)[:KIND_LENGTH]))
        else:
            self._world.publish(ProfileRequest('reconcile'))
        self._world.schedule(self._random.uniform(10, 30), self._edit)


class Access:
    """People open the dashboard, which asks kfam what is theirs; owners add contributors and remove them."""

    PEOPLE = ('ada', 'bob', 'chloe', 'dmitri')
    # What the URL asks for besides, such as `?namespace=team-nlp`, is no part of its path.
    BINDINGS = '/kfam/v1/bindings'

    def __init__(self, world: World):
        self._world = world
        self._random = world.random('access')
        self._turns: dict[str, int] = {}
        with_each_profile(world, self._begin)

    def _begin(self, namespace: str) -> None:
        self._turns[namespace] = 0
        self._visit(namespace)

    def _visit(self, namespace: str) -> None:
        self._turns[namespace] += 1
        turn = self._turns[namespace]
        user = f'{self.PEOPLE[turn % len(self.PEOPLE)]}@example.com'
        forbidden = 'forbidden' if turn % (2 * FAULTY_TURN) == 0 else ''
        self._world.publish(AccessRequest(user, 'read', self.BINDINGS, forbidden))
        if turn % FAULTY_TURN == 1:
            self._world.publish(AccessRequest(user, 'create', self.BINDINGS))
        elif turn % FAULTY_TURN == 3:
            error = 'rolebindings already exists' if turn % (2 * FAULTY_TURN) == 3 else ''
            self._world.publish(AccessRequest(user, 'delete', self.BINDINGS, error=error))
        self._world.schedule(self._random.uniform(8, 24) * slack(self._world), lambda: self._visit(namespace))
