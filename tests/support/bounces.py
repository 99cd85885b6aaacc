"""Mails that mail servers write when one of ours comes back (RFC 3464), and those of people who are away."""

from typing import Final

ANN: Final = "ann@acme.example"


def report(
    to: str,
    *,
    action: str = "failed",
    status: str = "5.1.1",
    recipient: str = ANN,
    message_id: str = "<1@other.example>",
    report_id: str = "<report@mx.acme.example>",
    whole: bool = False,
) -> bytes:
    """A report as Postfix writes it; with `whole` the mail is returned with its text."""
    returned, text = "text/rfc822-headers", ""
    if whole:
        returned, text = "message/rfc822", "\r\nHow likely are you to recommend us?\r\n"
    lines = f"""From: MAILER-DAEMON@mx.acme.example (Mail Delivery System)
To: {to}
Subject: Undelivered Mail Returned to Sender
Message-ID: {report_id}
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="frontier"

--frontier
Content-Type: text/plain; charset=us-ascii

I am sorry, your message could not be delivered.

--frontier
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.acme.example
Arrival-Date: Tue, 9 Jun 2026 10:00:00 +0000 (UTC)

Final-Recipient: rfc822; {recipient}
Original-Recipient: rfc822;{recipient}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; 550 5.1.1 <{recipient}>: no such user

--frontier
Content-Type: {returned}

From: Lea Maier <lea@supplier.example>
To: Ann Lee <{recipient}>
Subject: How are we doing?
Message-ID: {message_id}
{text}
--frontier--
"""
    return "\r\n".join(lines.replace("\r\n", "\n").split("\n")).encode()


def auto_reply(to: str) -> bytes:
    """A vacation notice (RFC 3834) that quotes a status."""
    text = f"""From: Ann Lee <{ANN}>
To: {to}
Subject: Out of office
Message-ID: <away@acme.example>
Auto-Submitted: auto-replied

I am away until 5.1.1 next year. Action: failed.
"""
    return text.replace("\n", "\r\n").encode()
