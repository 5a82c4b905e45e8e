"""Passwords: strong by how hard they are to guess, never cut, hashed with the parameters of today."""

import time

import pytest
from argon2 import PasswordHasher
from zxcvbn.matching import L33T_TABLE, enumerate_l33t_subs, relevant_l33t_subtable

from crm.demo.cast import PASSWORD as DEMO
from tenants.foundation.errors import Invalid
from tenants.identity.signing_in import passwords
from tenants.identity.signing_in.models import Password
from tenants.identity.signing_in.strength import LOOKED_AT, judged, must_be_strong
from tenants.isolation.door import db, inside
from tests.persons import PASSWORD, Person

ABOUT = ["Wilhelmina Featherstone", "wilhelmina.f@brightwater.example", "Brightwater Glass"]


@pytest.mark.parametrize(
    "weak",
    [
        "short1!",
        "x" * 129,
        "password",
        "P@ssw0rd123",
        "letmein2024",
        "qwertyuiop12",
        "aaaaaaaaaaaaaaaaaaaa",
        "featherstone",
        "wilhelmina1",
        "brightwater",
        "Brightwater-Wilhelmina 24",
        "freehold1",
        "abc" * 30,
    ],
)
def test_what_is_easy_to_guess_is_refused(weak: str) -> None:
    with pytest.raises(Invalid):
        must_be_strong(weak, ABOUT)


@pytest.mark.parametrize(
    "strong",
    [PASSWORD, DEMO, "correct horse battery", "nur kleinbuchstaben", "пять тихих лисиц", "k7#Vq2!pX"],
)
def test_no_composition_is_asked_for(strong: str) -> None:
    must_be_strong(strong, ABOUT)


def test_words_of_one_are_forgotten_before_the_next() -> None:
    from zxcvbn import matching

    must_be_strong(PASSWORD, ABOUT)
    assert "user_inputs" not in matching.RANKED_DICTIONARIES


def test_a_long_password_is_not_cut() -> None:
    long = "twelve brown owls hum " * 5
    hashed = passwords.hash_of(long)
    assert len(long) > LOOKED_AT > 72 - 9
    assert passwords.fits(long, hashed)
    assert not passwords.fits(long[:-1], hashed)
    assert not passwords.fits(long[:72], hashed)


def test_one_password_however_a_keyboard_spells_it() -> None:
    composed, apart = "fünf grüne äpfel", "fünf grüne äpfel".replace("ü", "u\u0308").replace("ä", "a\u0308")
    assert passwords.fits(apart, passwords.hash_of(composed))


def test_the_hardest_password_to_look_at_is_looked_at_in_no_time() -> None:
    began = time.process_time()
    for nasty in ("ab" * 64, "aA1!" * 32, "q1w2e3r4t5" * 12, "1" * 128, "\u0308" * 128):
        with pytest.raises(Invalid):
            must_be_strong(nasty, ABOUT)
    assert time.process_time() - began < 30


#: Every sign that stands for a letter; zxcvbn would read a password of them in hundreds of ways.
SIGNS = "4@8({[<369&!1/|\\70$5+7%2"


def test_a_password_of_signs_that_stand_for_letters_is_read_in_a_few_ways_only() -> None:
    worst = (SIGNS * 3)[:LOOKED_AT]
    readings = enumerate_l33t_subs(relevant_l33t_subtable(judged(worst), L33T_TABLE))
    assert len(enumerate_l33t_subs(relevant_l33t_subtable(worst, L33T_TABLE))) > 500
    assert 1 < len(readings) <= 30


def test_what_is_added_after_the_judged_part_makes_no_password_weaker() -> None:
    strong = "k7#Vq2!pX four brown owls"
    for tail in ("", "aaaaaaaa", SIGNS, SIGNS * 2, "password" * 5):
        longer = (strong + tail)[:128]
        assert judged(longer).startswith(judged(strong))
        must_be_strong(longer, ABOUT)
    full = (strong + SIGNS * 4)[:100]
    assert judged(full) == judged(full + "a" * 20) != full


def test_a_hash_of_before_is_made_again_at_the_next_sign_in(perla: Person, stranger: Person) -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8 * 1024, parallelism=1).hash(perla.password)
    with inside(perla.workspace.home):
        db().get_one(Password, perla.user_id).hash = old
    assert perla.browser().sign_in(perla, "wrong one here").status_code == 401
    assert kept(perla) == old
    assert perla.browser().sign_in(perla).status_code == 201
    assert "m=19456,t=2" in kept(perla)
    assert perla.browser().sign_in(perla).status_code == 201
    assert stranger.browser().sign_in(stranger).status_code == 201


def kept(person: Person) -> str:
    with inside(person.workspace.home):
        return db().get_one(Password, person.user_id).hash
