# SPDX-License-Identifier: ISC
"""Clients of the field, as they behave on the wire: who is served, where,
and what the record says of the others.

The clients are scripted here; tests/interop has the programs.
"""

import gssapi.raw as gss

from tests.lab import socks, targets
from tests.lab.socks import (Client, DATA, FLAGS, LEVEL, TOKEN, frame,
                             request_octets)
from tests.lab.suite import behaviour, expect, expect_equal

LAB = {"settings": {
    "listener clear": {"protection_minimum": "none",
                       "protection_maximum": "none"},
    "listener range": {"protection_minimum": "none"},
    "listener nec": {"nec_level_from": ["127.0.0.0/8"]},
    "listener nec-elsewhere": {"nec_level_from": ["192.0.2.0/24"]},
    "listener both": {"methods": ["gssapi", "password"]},
    "listener windows": {"allow_spnego": True},
    "listener low": {"protection_maximum": "integrity"},
}}

CURL = (0, 1)  # what curl offers, in its order
NEC_TEXT = "the protection level was agreed unprotected (NEC style)"

spot = None


def echo(lab):
    global spot
    if spot is None:
        spot = lab.target(targets.echo)
    return spot


def says(client, plain):
    client.put(plain)
    expect_equal(client.get(len(plain)), plain, "the echo")


def hinted(lab, client, hint, reason, event="close"):
    record = lab.audit.wait_for(client=client.name, event=event)
    expect_equal((record.get("hint"), record["reason"]), (hint, reason),
                 "hint and reason")
    return record


def up_to_level(client, methods=(socks.GSSAPI,)):
    expect_equal(client.greet(methods), socks.GSSAPI, "the method")
    client.authenticate()


def bare(client, level):
    client.send(frame(LEVEL, bytes([level])))


# Level 0

@behaviour
def curl_8_20_is_served_in_clear_by_a_listener_that_grants_none(lab):
    """It asks for 2 and goes on in clear only if it gets 0."""
    at = echo(lab)
    with Client(lab, listener="clear", flags=FLAGS - {
            gss.RequirementFlag.out_of_sequence_detection}) as client:
        up_to_level(client, CURL)
        client.level = 2
        expect_equal(client.negotiate(), 0, "the level")
        client.ask(at.address, at.port)
        says(client, b"in clear")
        record = lab.audit.wait_for(client=client.name, event="open")
        expect_equal(record["protection"], "none", "protection")


@behaviour
def dante_that_keeps_its_own_offer_is_served_beside_it(lab):
    """Granted 0 it seals all the same, as it had asked."""
    at = echo(lab)
    for wish, protection in [(1, "integrity"), (2, "confidentiality"),
                             (3, "selective")]:
        with Client(lab, listener="clear", level=wish) as client:
            up_to_level(client)
            expect_equal(client.negotiate(), 0, "the level")
            client.granted = wish
            client.ask(at.address, at.port)
            says(client, b"sealed")
            record = lab.audit.wait_for(client=client.name, event="open")
            expect_equal(record["protection"], protection, "protection")


@behaviour
def dante_that_asked_for_secrecy_may_not_fall_back_on_the_way(lab):
    """Its wish for 2 was sealed: a message that is not encrypted is none of
    its own."""
    at = echo(lab)
    with Client(lab, listener="clear", level=2) as client:
        up_to_level(client)
        client.negotiate()
        client.send(frame(DATA, client.wrap(
            request_octets(at.address, at.port), False)))
        expect_equal(client.read_to_end(), b"", "the answer")
        lab.audit.wait_for(client=client.name, event="close",
                           reason="gss_confidentiality")


@behaviour
def a_wish_for_none_is_granted_where_the_range_begins_there(lab):
    at = echo(lab)
    with Client(lab, listener="range", level=0) as client:
        client.connect(at.address, at.port)
        expect_equal(client.granted, 0, "the level")
        says(client, b"in clear")
    with Client(lab, listener="range", level=2) as client:
        client.connect(at.address, at.port)
        expect_equal(client.granted, 2, "the level")
        says(client, b"sealed")


# One bare octet as the level

@behaviour
def the_nec_style_is_answered_in_its_form_and_recorded(lab):
    at = echo(lab)
    for wish, granted in [(1, 1), (2, 2), (3, 3), (0, 1)]:
        with Client(lab, listener="nec") as client:
            up_to_level(client)
            bare(client, wish)
            expect_equal(client.read(5), bytes([1, 2, 0, 1, granted]),
                         "the answer")
            client.granted = granted
            client.ask(at.address, at.port)
            says(client, b"sealed")
            record = lab.audit.wait_for(client=client.name, event="auth")
            expect_equal(record.get("detail"), NEC_TEXT, "detail")


@behaviour
def the_nec_style_is_refused_everywhere_else(lab):
    for listener in ["main", "range", "clear", "nec-elsewhere"]:
        with Client(lab, listener=listener) as client:
            up_to_level(client)
            bare(client, 2)
            expect_equal(client.read_to_end(), b"\x01\xff\0\0", "the answer")
            hinted(lab, client, "nec_level", "gss_level")


@behaviour
def a_sealed_level_is_taken_where_bare_ones_are(lab):
    at = echo(lab)
    with Client(lab, listener="nec") as client:
        client.connect(at.address, at.port)
        says(client, b"sealed")
        record = lab.audit.wait_for(client=client.name, event="auth")
        expect_equal(record.get("detail"), None, "detail")


# SPNEGO

@behaviour
def spnego_is_served_where_it_is_allowed(lab):
    at = echo(lab)
    for level in [1, 2, 3]:
        with Client(lab, listener="windows", mech=socks.SPNEGO,
                    level=level) as client:
            client.connect(at.address, at.port)
            says(client, b"sealed")
            record = lab.audit.wait_for(client=client.name, event="open")
            expect_equal((record["identity"], record["mechanism"]),
                         ("alice@EXAMPLE.COM", "spnego"), "the identity")
    with Client(lab, listener="windows") as client:
        client.connect(at.address, at.port)
        record = lab.audit.wait_for(client=client.name, event="open")
        expect_equal(record["mechanism"], "krb5", "mechanism")


@behaviour
def spnego_is_refused_where_it_is_not(lab):
    with Client(lab, mech=socks.SPNEGO) as client:
        client.greet()
        client.send(frame(TOKEN, client.initiate()))
        client.read_to_end()
        hinted(lab, client, "spnego", "gss_no_credential")


@behaviour
def spnego_for_another_service_is_refused_too(lab):
    with Client(lab, listener="windows", mech=socks.SPNEGO,
                service="host@gw.example.com") as client:
        client.greet()
        client.send(frame(TOKEN, client.initiate()))
        client.read_to_end()
        lab.audit.wait_for(client=client.name, event="close",
                           reason="gss_wrong_service")


@behaviour
def ntlm_is_refused_with_a_hint(lab):
    for listener in ["main", "windows"]:
        with Client(lab, listener=listener) as client:
            client.greet()
            client.send(frame(TOKEN, b"NTLMSSP\0\1\0\0\0" + bytes(24)))
            client.read_to_end()
            record = lab.audit.wait_for(client=client.name, event="close")
            expect_equal(record.get("hint"), "ntlm", "hint")


# A choice that leads nowhere

def chosen(lab, offer, source, listener="both"):
    """What is chosen of an offer; then the client leaves."""
    with Client(lab, listener=listener, source=source) as client:
        method = client.greet(offer)
        name = client.name
    lab.audit.wait_for(client=name, event="close")
    return method


@behaviour
def who_left_twice_without_a_token_is_offered_a_password(lab):
    both, source = (0, 1, 2), "127.0.0.3"
    expect_equal([chosen(lab, both, source) for _ in range(4)], [1, 1, 2, 2],
                 "the methods")
    # It has no other to offer, so that it gets what there is.
    expect_equal(chosen(lab, (1,), source), 1, "the method")
    # Nor is anybody else meant, or a listener that has no other.
    expect_equal(chosen(lab, both, "127.0.0.4"), 1, "another's method")
    expect_equal(chosen(lab, both, source, "main"), 1, "another listener's")
    # Somebody there has a ticket after all.
    at = echo(lab)
    with Client(lab, listener="both", source=source) as client:
        client.connect(at.address, at.port)
        name = client.name
    lab.audit.wait_for(client=name, event="close")
    expect_equal(chosen(lab, both, source), 1, "the method")


# Those that cannot be served

@behaviour
def a_client_that_leaves_without_a_word_gets_its_hint(lab):
    for offer, hint in [(CURL, "curl_7_69"), ((0, 1, 2), "curl_7_69"),
                        ((1,), "no_ticket"), ((1, 0), "no_ticket")]:
        with Client(lab) as client:
            client.greet(offer)
            name = client.name
        record = lab.audit.wait_for(client=name, event="auth")
        expect_equal((record.get("hint"), record["outcome"]), (hint, "fail"),
                     "hint")


@behaviour
def a_client_that_offers_nothing_we_have_gets_its_hint(lab):
    for offer, hint in [((0,), "only_none"), ((2,), None), ((0, 2), None)]:
        with Client(lab) as client:
            expect_equal(client.greet(offer), 0xFF, "the method")
            name = client.name
        record = lab.audit.wait_for(client=name, event="close")
        expect_equal((record.get("hint"), record["reason"]),
                     (hint, "no_method"), "hint and reason")


@behaviour(settings={"session": {"handshake_timeout": 6}})
def a_client_that_stalls_after_our_token_gets_its_hint(lab):
    with Client(lab) as client:
        up_to_level(client, CURL)
        client.read_to_end()
        hinted(lab, client, "curl_8_16", "handshake_timeout")


@behaviour
def a_client_that_skips_the_level_gets_its_hint(lab):
    at = echo(lab)
    reached = at.connections
    with Client(lab) as client:
        up_to_level(client, (0, 1, 2))
        client.send(request_octets(at.address, at.port))
        expect_equal(client.read_to_end(), b"\x01\xff\0\0", "the answer")
        hinted(lab, client, "no_level", "gss_bad_frame")
    expect_equal(at.connections, reached, "connections to the target")


@behaviour
def curl_8_20_gets_its_hint_where_none_is_not_granted(lab):
    at = echo(lab)
    with Client(lab) as client:
        up_to_level(client, CURL)
        client.negotiate()
        client.send(request_octets(at.address, at.port))
        client.read_to_end()
        hinted(lab, client, "curl_8_20", "gss_clear")


@behaviour
def a_wish_for_none_that_is_not_granted_gets_its_hint(lab):
    at = echo(lab)
    with Client(lab, level=0) as client:
        up_to_level(client)
        expect_equal(client.negotiate(), 1, "the level")
        client.send(request_octets(at.address, at.port))
        client.read_to_end()
        hinted(lab, client, "clear_wish", "gss_clear")
    with Client(lab, level=0) as client:
        up_to_level(client, CURL)
        client.negotiate()
        name = client.name
    lab.audit.wait_for(client=name, event="close", hint="curl_old")


@behaviour
def a_client_that_does_not_take_the_grant_gets_its_hint(lab):
    with Client(lab, listener="low", level=2) as client:
        up_to_level(client)
        expect_equal(client.negotiate(), 1, "the level")
        name = client.name
    lab.audit.wait_for(client=name, event="close", hint="level_refused")
    for event in ["decision", "open"]:
        expect_equal(lab.audit.find(client=name, event=event), [], event)


@behaviour
def a_session_that_goes_well_has_no_hint(lab):
    at = echo(lab)
    with Client(lab) as client:
        client.connect(at.address, at.port)
        says(client, b"sealed")
        name = client.name
    record = lab.audit.wait_for(client=name, event="close")
    expect_equal(record.get("hint"), None, "hint")


@behaviour
def the_abort_has_four_octets_unless_two_are_asked_for(lab):
    with Client(lab) as client:
        client.greet()
        client.send(frame(TOKEN, b"nothing"))
        answer = client.read_to_end()
        expect(answer.endswith(b"\x01\xff\0\0"), f"{answer!r}")


@behaviour(settings={"kerberos": {"short_abort": True}})
def the_abort_has_two_octets_where_they_are_asked_for(lab):
    with Client(lab) as client:
        client.greet()
        client.send(frame(TOKEN, b"nothing"))
        answer = client.read_to_end()
        expect(answer.endswith(b"\x01\xff"), f"{answer!r}")
