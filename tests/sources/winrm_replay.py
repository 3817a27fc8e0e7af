"""Answers of WinRM (MS-WSMV) to the five messages of a command in a shell, to be replayed over HTTP."""

from __future__ import annotations

import base64
import json
import re

NAMESPACES = (
    'xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd" '
    'xmlns:rsp="http://schemas.microsoft.com/wbem/wsman/1/windows/shell" '
    'xmlns:x="http://schemas.xmlsoap.org/ws/2004/09/transfer"'
)
DONE = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/CommandState/Done"


class WinRm:
    """Answers as a host with this output, errors and status does, and keeps the commands that it was given."""

    def __init__(self, machines=None, output=None, errors=b"", status=0):
        packed = base64.b64encode(json.dumps(machines).encode())
        self.output = packed if output is None else output
        self.errors, self.status, self.commands, self.actions = errors, status, [], []

    def __call__(self, body):
        text = body.decode()
        action = re.search(r"/(\w+)</a:Action>", text)[1]
        self.actions.append(action)
        if action == "Command":
            self.commands.append(re.search(r"<rsp:Command>(.*?)</rsp:Command>", text)[1])
        relates = re.search(r"<a:MessageID>(.*?)</a:MessageID>", text)[1]
        header = f"<s:Header><a:RelatesTo>{relates}</a:RelatesTo></s:Header>"
        return f"<s:Envelope {NAMESPACES}>{header}<s:Body>{self.said(action)}</s:Body></s:Envelope>"

    def said(self, action):
        if action == "Create":
            return (
                '<x:ResourceCreated><a:ReferenceParameters><w:SelectorSet><w:Selector Name="ShellId">S1</w:Selector>'
                "</w:SelectorSet></a:ReferenceParameters></x:ResourceCreated>"
            )
        if action == "Command":
            return "<rsp:CommandResponse><rsp:CommandId>C1</rsp:CommandId></rsp:CommandResponse>"
        if action == "Receive":
            streams = "".join(
                f'<rsp:Stream Name="{name}" CommandId="C1">{base64.b64encode(part).decode()}</rsp:Stream>'
                for name, content in (("stdout", self.output), ("stderr", self.errors))
                for part in (content[:40], content[40:])
            )
            state = f'<rsp:CommandState CommandId="C1" State="{DONE}"><rsp:ExitCode>{self.status}</rsp:ExitCode>'
            return f"<rsp:ReceiveResponse>{streams}{state}</rsp:CommandState></rsp:ReceiveResponse>"
        return ""
