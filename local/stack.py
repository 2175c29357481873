"""The whole service on one machine, started and stopped as one."""

import contextlib
import functools
import tempfile
from collections import ChainMap
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any, Self

from core.errors import ConfigurationError
from local.aws.provisioning import Provisioned, provision, store_credentials
from local.aws.queues import release
from local.aws.server import AwsServer
from local.control_room.room import ControlRoom
from local.control_room.services import Services, Status
from local.functions.functions import DEFAULT_CONCURRENCY, Function, Functions
from local.functions.invoke_api import InvokeApi
from local.functions.logs import FunctionLog, Listener
from local.functions.sandbox import Invocation, Outcome
from local.functions.specs import function_specs
from local.gateway.gateway import INTEGRATION_SECONDS, LONGEST_BODY_BYTES, Gateway
from local.gateway.routes import readable_paths
from local.loopback.http_server import HttpServer
from local.loopback.ports import listen
from local.mip import Credentials, MipCloud, MipCloudServer
from local.template import stack_template
from local.template.stack_template import DEFAULT_TEMPLATE, EventSource, Route, StackTemplate
from local.triggers.poller import Poller
from local.triggers.schedule import Schedule, UnsupportedScheduleError, read_rule


@dataclass(frozen=True)
class MipEndpoints:
    """MIP Cloud as it runs elsewhere; the template's own URL stands where one is None."""

    login_url: str | None
    api_url: str | None


@dataclass
class LocalStack:
    """AWS, MIP Cloud's stand-in, the functions, the API and the queue's poller, on loopback.

    A context manager: entering starts everything, leaving ends everything, also if the start
    fails half-way. Ports of 0 take any. One stack at a time per process: moto's state is global.
    Entering raises PortError, TemplateError, and AnotherStackError where one runs already.
    """

    template: Path = DEFAULT_TEMPLATE
    gateway_port: int = 3000
    aws_port: int = 4566
    mip_port: int = 8900
    _: KW_ONLY
    parameters: Mapping[str, str] = field(default_factory=dict)
    """Values for the template's parameters; each must be allowed by it."""
    environment_overrides: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Variables on top of the template's, by the function's logical id."""
    timeouts: Mapping[str, float] = field(default_factory=dict)
    """Seconds instead of the template's, by the function's logical id."""
    reader_concurrency: int = 8
    integration_seconds: float = INTEGRATION_SECONDS
    """How long the gateway waits for the function."""
    poll: bool = True
    """Whether the event source mappings run."""
    schedule: bool = False
    """Whether the rules' clocks run."""
    mip: MipCloud | MipEndpoints | None = None
    """The stand-in to serve; or where MIP Cloud runs already, and none is served."""
    credentials: Credentials | None = None
    """What the worker logs in with; the stand-in's own if None."""
    logs: Path | None = None
    """The folder of the functions' log files; a temporary one if None."""
    echo: Listener | None = None
    """Called with every line that a function writes."""

    aws: AwsServer = field(init=False)
    api_url: str = field(init=False)
    aws_url: str = field(init=False)
    mip_url: str | None = field(init=False)
    """Where the stand-in listens; None where MIP Cloud runs elsewhere."""
    resources: Mapping[str, str] = field(init=False)
    """Physical ids by logical id; a queue's is its URL, a function's is its name."""
    outputs: Mapping[str, str] = field(init=False)
    left_out: Mapping[str, str] = field(init=False)
    """Logical ids of what the local AWS does not have, with the reasons."""
    routes: tuple[Route, ...] = field(init=False)
    notes: list[str] = field(init=False, default_factory=list)
    """What the template asks for and does not run here, a sentence each."""
    functions: Functions = field(init=False, default_factory=lambda: Functions([]))
    pollers: list[Poller] = field(init=False, default_factory=list)
    schedules: list[Schedule] = field(init=False, default_factory=list)
    control_room: ControlRoom | None = field(init=False, default=None)
    """None until the API listens."""
    _running: contextlib.ExitStack = field(init=False, default_factory=contextlib.ExitStack)

    def __enter__(self) -> Self:
        with contextlib.ExitStack() as started:
            self._start(started)
            self._running = started.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End everything, and kill what runs. Stopping twice is fine."""
        if self.control_room:
            self.control_room.request_stop()
        for poller in self.pollers:
            poller.request_stop()
        self.functions.stop()
        self._running.close()

    def finish_batches(self) -> None:
        """Take no further batch from a queue, and wait for those that run to be done."""
        for poller in self.pollers:
            poller.request_stop()
        self._join_pollers()

    def client(self, service: str) -> Any:
        """A boto3 client of the local AWS."""
        return self.aws.client(service)

    def environment(self, logical_id: str) -> dict[str, str]:
        """The variables of a function, as its handler sees them, without Lambda's own."""
        return dict(self.functions[logical_id].spec.environment)

    def invoke(self, logical_id: str, payload: Any = None) -> Any:
        """Invoke a function and wait for its result. Raises FunctionFailedError."""
        return self.functions[logical_id].call(payload)

    def _start(self, started: contextlib.ExitStack) -> None:
        """Take the ports first, so that a taken one is told at once."""
        self._start_mip(started)
        started.callback(self._join_pollers)
        self.aws = AwsServer(self.aws_port)
        # Cuts the pollers' open polls, so that they need not be waited for.
        started.callback(self.aws.stop)
        self.aws_url = self.aws.url
        listener = started.enter_context(listen(self.gateway_port))
        template = stack_template.load(self.template, self.parameters, self._own_defaults())
        made = provision(self.aws, template)
        self.resources, self.outputs, self.left_out = made.resources, made.outputs, made.left_out
        self.functions = self._make_functions(template, made, started)
        started.callback(self.functions.stop)
        self.aws.put_in_front(functools.partial(InvokeApi, self.functions))
        self._store_credentials()
        self.routes = template.routes
        gateway = Gateway(
            template, self.functions, made.resources.get("Api", "local"), self.integration_seconds
        )
        server = HttpServer(listener, gateway.respond, longest_body_bytes=LONGEST_BODY_BYTES)
        self.api_url = server.url
        self.control_room = self._make_control_room(gateway)
        server.respond = self.control_room.respond
        server.start_serving("API gateway")
        started.callback(server.stop_serving)
        for source in template.event_sources:
            self._add_poller(source)
        self._add_schedules(template, started)

    def _start_mip(self, started: contextlib.ExitStack) -> None:
        self.mip_url = None
        if isinstance(self.mip, MipEndpoints):
            return
        self.mip = self.mip or MipCloud()
        self.credentials = self.credentials or self.mip.credentials
        self.mip_url = started.enter_context(MipCloudServer(self.mip, port=self.mip_port)).url

    def _own_defaults(self) -> dict[str, str]:
        """What the template leaves open, or would not allow: URLs without TLS."""
        credentials = self.credentials or Credentials()
        elsewhere = self.mip if isinstance(self.mip, MipEndpoints) else None
        defaults = {
            "MipOrganization": credentials.org,
            "MipLoginUrl": elsewhere.login_url if elsewhere else self.mip_url,
            "MipApiUrl": elsewhere.api_url if elsewhere else self.mip_url,
        }
        return {name: value for name, value in defaults.items() if value is not None}

    def _make_functions(
        self, template: StackTemplate, made: Provisioned, started: contextlib.ExitStack
    ) -> Functions:
        if self.logs is None:
            folder = tempfile.TemporaryDirectory(prefix="lambda-mips-api-logs-")
            self.logs = Path(started.enter_context(folder))
        self.logs.mkdir(parents=True, exist_ok=True)
        # A FIFO group has one batch in flight at most: a second worker would have nothing to do.
        concurrency = {"ReaderFunction": self.reader_concurrency, "WorkerFunction": 1}
        return Functions(
            Function(
                spec,
                FunctionLog(self.logs / f"{spec.logical_id}.log", spec.logical_id, self._on_line),
                self.aws_url,
                concurrency.get(spec.logical_id, DEFAULT_CONCURRENCY),
            )
            for spec in function_specs(
                self.aws, template, made, self.environment_overrides, self.timeouts
            )
        )

    def _on_line(self, function: str, line: str) -> None:
        """Pass a line of a function's output on."""
        if self.control_room:
            self.control_room.on_line(function, line)
        if self.echo:
            self.echo(function, line)

    def _make_control_room(self, gateway: Gateway) -> ControlRoom:
        admin = self.functions.get("AdminFunction")
        mip = self.mip if isinstance(self.mip, MipCloud) else None
        services = Services(
            api_url=self.api_url,
            mip_url=self.mip_url,
            routes=readable_paths(self.routes),
            gateway=gateway,
            functions=self.functions,
            admin=admin,
            mip=mip,
            store_credentials=self._store_credentials,
            send=self._send,
            release=self._release,
        )
        try:
            status = Status(self.aws, admin.spec.environment, self._finished) if admin else None
        except ConfigurationError:
            # The template of another service, whose entries are not ours.
            status = None
        room = ControlRoom(services, status)
        gateway.on_response = room.on_request
        if admin:
            admin.on_outcome = room.on_command
        if mip:
            mip.on_answer = room.on_mip_call
        return room

    def _send(self, body: str, deduplication_id: str) -> str:
        sent = self.client("sqs").send_message(
            QueueUrl=self.resources["RebuildQueue"],
            MessageBody=body,
            MessageGroupId="mips",
            MessageDeduplicationId=deduplication_id,
        )
        return str(sent["MessageId"])

    def _finished(self) -> Mapping[str, int]:
        return ChainMap(*(poller.finished for poller in self.pollers))

    def _release(self) -> int:
        return release(self.resources["RebuildQueue"], self._finished())

    def _store_credentials(self) -> None:
        credentials = self.credentials or Credentials()
        environments = [function.spec.environment for function in self.functions.values()]
        for path in {
            variables["SSM_PATH"] for variables in environments if "SSM_PATH" in variables
        }:
            key_id = self.resources.get("SsmKey")
            store_credentials(self.aws, path, key_id, credentials.user, credentials.password)

    def _add_poller(self, source: EventSource) -> None:
        function = self.functions[source.function]

        def invoke(event: str) -> Outcome:
            if self.control_room:
                self.control_room.on_batch(event)
            return function.invoke(Invocation(event))

        poller = Poller(self.client("sqs"), self.resources[source.queue], source, invoke)
        self.pollers.append(poller)
        if self.poll:
            poller.start()

    def _join_pollers(self) -> None:
        for poller in self.pollers:
            poller.stop()

    def _add_schedules(self, template: StackTemplate, started: contextlib.ExitStack) -> None:
        sqs, events = self.client("sqs"), self.client("events")
        queues = {}
        for logical_id, _ in template.of_type("AWS::SQS::Queue"):
            url = self.resources[logical_id]
            found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
            queues[found["Attributes"]["QueueArn"]] = url
        for logical_id, _ in template.of_type("AWS::Events::Rule"):
            try:
                schedule = read_rule(events, sqs, self.resources[logical_id], queues)
            except UnsupportedScheduleError as exc:
                self.notes.append(f"{logical_id}: {exc}")
                continue
            self.schedules.append(schedule)
            if self.schedule:
                started.callback(schedule.stop)
                schedule.start()
