"""Logs in and reads the users, splitting what stands between two prompts as scripts do.

usage: session.py CONSOLE ARGUMENTS...
"""

import sys

import pexpect

PROMPT = "aws-cloudhsm>"


def main(console, arguments):
    child = pexpect.spawn(console, arguments, encoding="utf-8", timeout=20)
    child.delaybeforesend = None
    child.expect_exact(PROMPT)

    child.sendline("loginHSM PRECO admin -hpswd")
    child.expect_exact("Enter password:")
    child.sendline("password")
    child.expect_exact(PROMPT)
    assert child.before.split() == "loginHSM success on server 0(127.0.1.1)".split(), child.before

    child.sendline("listUsers")
    child.expect_exact(PROMPT)
    words = child.before.split()
    assert words[0] == "listUsers" and words.count("listUsers") == 1, words
    assert "admin" in words and "\x1b" not in child.before, child.before

    child.sendintr()
    child.sendline("quit")
    child.expect_exact("disconnecting from servers, please wait...")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0, child.exitstatus


main(sys.argv[1], sys.argv[2:])
