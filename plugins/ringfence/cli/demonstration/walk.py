"""The walk through the whole loop: from discovery to a proof by real connections, and attempts to lock oneself out."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence

from ringfence.cli.demonstration.probing import Probe, foreseen, services_of, tried
from ringfence.cli.demonstration.response import LEAST_SECONDS, contained, let_through
from ringfence.cli.demonstration.stage import Stage, Unexpected
from ringfence.estate import Estate
from ringfence.lab.demonstration.workspace_files import write_workspace
from ringfence.lab.estate import WRONG
from ringfence.lab.session import Lab
from ringfence.lab.spec import NETWORK_4, HostSpec
from ringfence.model.tables import VerdictTable
from ringfence.operations.plans import ChosenPlan, chosen_plan, tables_of
from ringfence.wire.first_few import first_few

# What the shop does most rarely it does every twenty seconds: sessions from the bastion.
LOOKS = 6
BETWEEN_LOOKS = 4
REPORT = "a report that once was urgent: it moves to the api"
CONFIRM_SECONDS = 5
# RFC 5737: networks for documentation; Ansible comes from neither.
ELSEWHERE = "192.0.2.0/24"


class Walk:
    """One walk over a lab that is up; each method is one step."""

    def __init__(self, stage: Stage, lab: Lab, *, processes: bool) -> None:
        self.stage = stage
        self.lab = lab
        self.processes = processes
        self.hosts: list[HostSpec] = lab.hosts()
        self.isolated = 0.0

    def all(self) -> None:
        """Walk every step."""
        self.discover()
        self.watch()
        self.suggest()
        self.plan()
        self.apply()
        self.prove()
        self.stopped()
        self.verify()
        self.contained()
        self.let_through()
        self.refused()
        self.undone()

    def discover(self) -> None:
        """Show the assets that three sources know, labelled by rules, and where the sources contradict each other."""
        stage = self.stage
        with stage.step("Discover the hosts from three sources and label them"):
            write_workspace(stage.directory, self.lab.inventory_path, self.hosts, processes=self.processes)
            stage.say("Ansible's inventory says how hosts are reached, an export of the CMDB what they serve,")
            stage.say("the operations team's list where they stand; each calls a machine by another name.")
            stage.run("assets")
            stage.run("assets", "web-1", "--explain")
            stage.run("check")

    def watch(self) -> None:
        """Watch who talks to whom, and show what nobody should have allowed."""
        stage = self.stage
        with stage.step("Watch who talks to whom") as step:
            stage.run("flows", "collect", str(NETWORK_4), "--times", str(LOOKS), "--every", str(BETWEEN_LOOKS))
            stage.run("flows", "window", "--since", "1h", "--limit", "15")
            for wrong in self._wrong():
                step.found[f"{wrong.source} → {wrong.target} {wrong.service}"] = wrong.seen
                stage.say(f"{wrong.source} reaches {wrong.target} on {wrong.service}: {_word(wrong.seen)}", "yellow")
            for known in WRONG:
                stage.say(f"  {known.source} → {known.target}: {known.why}")

    def suggest(self) -> None:
        """Suggest the shop's rules from what was seen; a person refuses one, and takes the others."""
        stage = self.stage
        with stage.step("Let the traffic suggest the rules, and read them") as step:
            stage.say("The policy so far: customers may reach the web servers, production and development stay apart.")
            stage.run("suggest", "--since", "1h")
            found = stage.ask("suggest", "--since", "1h")
            wrong = sorted({one for broken in found["effect"]["breaks"] for one in broken["suggestions"]})
            if not wrong:
                raise Unexpected("no suggestion breaks the test that web servers do not read the database")
            stage.say("one of them breaks a test of the policy: a person says no, for good", "yellow")
            stage.run("suggest", "--since", "1h", "--reject", ",".join(wrong), "--because", REPORT)
            stage.run("suggest", "--since", "1h", "--write")
            stage.run("check")
            left = stage.ask("suggest", "--since", "1h")["suggestions"]
            step.found |= {"suggested": len(found["suggestions"]), "rejected": len(wrong), "suggested_again": len(left)}
            if left:
                raise Unexpected(f"{len(left)} rules are suggested again after they were written")

    def plan(self) -> None:
        """Make the plan, and show what it would do to the traffic just seen."""
        stage = self.stage
        with stage.step("Plan, and see what it would do to that traffic") as step:
            stage.run("plan", "--since", "1h")
            stage.run("simulate", "--since", "1h", "--only", "newly_denied", "--limit", "15")
            step.found["plan"] = self._plan().plan.digest

    def apply(self) -> None:
        """Roll the plan out: a canary, three hosts, the rest."""
        with self.stage.step("Apply it through Ansible: a canary, then growing waves"):
            self.stage.run("apply", self._plan().plan.short)

    def prove(self) -> None:
        """Try every connection between all hosts, and compare with the prediction."""
        stage = self.stage
        with stage.step("Prove with real connections that every verdict is the predicted one") as step:
            services = services_of(self.hosts)
            probes = foreseen(self.hosts, self._tables(), services)
            stage.say(f"{len(self.hosts)} hosts × {len(self.hosts) - 1} others × {len(services)} services × addresses")
            stage.say(f"and processes: {len(probes)} connections")
            with stage.output.progress() as shown:
                task = shown.add_task("connections", total=len(probes)) if shown else None
                seen = tried(
                    self.lab,
                    probes,
                    progress=lambda count: shown.advance(task, count) if shown and task is not None else None,
                )
            _print(stage, seen, services)
            wrong = [probe for probe in seen if not probe.right]
            step.found |= {"probes": len(seen), "wrong": [_sentence(probe) for probe in wrong]}
            if wrong:
                for probe in wrong[:20]:
                    stage.say(_sentence(probe), "red")
                raise Unexpected(f"{len(wrong)} of {len(seen)} connections ended otherwise than predicted")
            stage.say(f"{len(seen)} of {len(seen)} as predicted", "green")

    def stopped(self) -> None:
        """Show that what was wrong on purpose is stopped, and what the hosts remember of it."""
        stage = self.stage
        with stage.step("What was wrong on purpose is stopped, and nothing that the shop needs") as step:
            for wrong in self._wrong():
                step.found[f"{wrong.source} → {wrong.target} {wrong.service}"] = wrong.seen
                stage.say(f"{wrong.source} reaches {wrong.target} on {wrong.service}: {_word(wrong.seen)}", "green")
                if wrong.seen:
                    raise Unexpected(f"{wrong.source} still reaches {wrong.target}")
            needed = [probe for probe in self._needed() if not probe.seen]
            step.found["broken"] = [_sentence(probe) for probe in needed]
            if needed:
                raise Unexpected(f"the shop needs {first_few([_sentence(probe) for probe in needed])}")
            stage.say("everything that the shop needs still answers", "green")
            for known in WRONG:
                stage.run("explain", known.source, known.target, known.port, "--unit", self._talker(known.source))

    def verify(self) -> None:
        """Prove that the kernels hold the plan, and find what somebody opened by hand."""
        stage = self.stage
        host = self._plan().plan.waves[-1][0]
        with stage.step("Verify: the kernels' tables read back and compared exactly"):
            stage.run("verify")
            stage.say(f"now somebody opens a port by hand on {host}:")
            self._on(host, "nft insert rule inet ringfence input tcp dport 4444 accept")
            stage.run("verify", "--limit", host, status=1)
            handle = self._on(host, "nft -a list chain inet ringfence input")
            number = re.search(r"dport 4444 accept # handle (\d+)", handle)
            if number is None:
                raise Unexpected(f"the rule is not there any more on {host}")
            self._on(host, f"nft delete rule inet ringfence input handle {number[1]}")

    def contained(self) -> None:
        """Isolate a web server while it scans, and see its sessions end and the shop go on."""
        title = "A web server that scans is isolated, and the shop goes on"
        with self.stage.step(title) as step:
            contained(self.stage, self.lab, self.hosts, step, self._habits())
            self.isolated = float(str(step.found["seconds_to_isolate"]))

    def let_through(self) -> None:
        """Let an administrator through to the database for a while, which the kernels end."""
        with self.stage.step("An administrator gets the database for a while, and it ends by itself") as step:
            # a slow machine needs some of that time to tell two hosts
            seconds = max(LEAST_SECONDS, round(3 * self.isolated))
            let_through(self.stage, self.lab, self.hosts, step, seconds=seconds)

    def refused(self) -> None:
        """Show that a policy whose control path is wrong is refused, twice: by plan and by the target."""
        stage = self.stage
        with stage.step("A control path that would cut the line is refused"):
            self._control_from(ELSEWHERE)
            stage.run("plan", "--no-flows", status=2)
            stage.say("and if somebody forces such a plan, the target refuses it:")
            stage.run("plan", "--no-flows", "--force-lockout-test")
            plan = self._plan().plan
            stage.run("apply", plan.short, "--limit", plan.waves[0][0], status=1)

    def undone(self) -> None:
        """Force the lockout, and see the target undo it by itself."""
        stage = self.stage
        with stage.step("Forced all the same, the target undoes it by itself") as step:
            plan = self._plan().plan
            canary = plan.waves[0][0]
            begun = time.monotonic()
            stage.run(
                *("apply", plan.short, "--limit", canary, "--force-lockout-test"),
                *("--confirm-within", str(CONFIRM_SECONDS)),
                status=3,
            )
            while self.lab.run(canary, ["true"], timeout=10).returncode:
                if time.monotonic() - begun > 10 * CONFIRM_SECONDS:
                    raise Unexpected(f"{canary} does not come back")
            step.found["seconds_locked_out_at_most"] = round(time.monotonic() - begun, 1)
            stage.say(f"{canary} answers again; what it holds now:", "green")
            self._control_from(None)
            stage.run("verify", "--limit", canary)

    def _plan(self) -> ChosenPlan:
        return chosen_plan(Estate(self.stage.directory), "latest")

    def _tables(self) -> dict[str, VerdictTable]:
        """Return the tables of the latest plan, by host."""
        return tables_of(self._plan())

    def _wrong(self) -> list[Probe]:
        """Try the estate's wrong traffic, each from the unit that keeps it up."""
        addresses = {host.name: host.addresses for host in self.hosts}
        probes = [
            Probe(
                wrong.source,
                self._talker(wrong.source) if self.processes else None,
                wrong.target,
                address,
                wrong.port,
                False,
            )
            for wrong in WRONG
            for address in addresses[wrong.target][:1]
        ]
        return tried(self.lab, probes, patience=1.2)

    def _needed(self) -> list[Probe]:
        """Try every habit of the shop that is not wrong."""
        return tried(self.lab, self._habits())

    def _habits(self) -> list[Probe]:
        """Return every habit of the shop that is not wrong, each from the unit that has it, not tried yet."""
        addresses = {host.name: host.addresses for host in self.hosts}
        wrong = {(one.source, one.target, one.port) for one in WRONG}
        return [
            Probe(host.name, unit.name if self.processes else None, talk.host, address, talk.port, True)
            for host in self.hosts
            for unit in host.units
            for talk in unit.talks
            if (host.name, talk.host, talk.port) not in wrong
            for address in addresses[talk.host][:1]
        ]

    def _talker(self, name: str) -> str:
        """Return the unit of a host that keeps its wrong traffic up."""
        target = next(wrong for wrong in WRONG if wrong.source == name)
        host = next(host for host in self.hosts if host.name == name)
        return next(unit.name for unit in host.units for talk in unit.talks if talk.host == target.target)

    def _on(self, host: str, script: str) -> str:
        done = self.lab.exec(host, ["sh", "-c", script])
        if done.returncode:
            raise Unexpected(f"{host}: {done.stderr.strip()}")
        return done.stdout

    def _control_from(self, network: str | None) -> None:
        """Write another control path into the workspace, None for the right one, as a slip of the hand would."""
        path = self.stage.directory / "ringfence.yml"
        kept = path.with_suffix(".right")
        if network is None:
            kept.replace(path)
            return
        text = path.read_text(encoding="utf-8")
        kept.write_text(text, encoding="utf-8")
        path.write_text(re.sub(r"from: \[.*\]", f"from: [{network}]", text), encoding="utf-8")
        self.stage.say(f"ringfence.yml now says control: {{from: [{network}]}}")


def _print(stage: Stage, probes: Sequence[Probe], services: Sequence[str]) -> None:
    """Print predicted against seen, a row a service."""

    def row(service: str) -> tuple[object, ...]:
        chosen = [probe for probe in probes if probe.service == service]
        allowed = [probe for probe in chosen if probe.predicted]
        denied = [probe for probe in chosen if not probe.predicted]
        counts: Mapping[str, int] = {
            "allowed": len(allowed),
            "answered": sum(bool(probe.seen) for probe in allowed),
            "denied": len(denied),
            "silent": sum(not probe.seen for probe in denied),
        }
        return (service, *counts.values(), sum(not probe.right for probe in chosen))

    stage.output.table(
        ("service", "#predicted: allowed", "#answered", "#predicted: denied", "#silent", "#differ"),
        [row(service) for service in services],
    )


def _word(seen: bool | None) -> str:
    return "yes" if seen else "no"


def _sentence(probe: Probe) -> str:
    who = f" ({probe.unit})" if probe.unit else ""
    return (
        f"{probe.source}{who} → {probe.target} {probe.address} {probe.service}: predicted "
        f"{'allowed' if probe.predicted else 'denied'}, {'answered' if probe.seen else 'silent'}"
    )
