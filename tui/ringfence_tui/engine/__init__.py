"""The engine process: it holds the estate and answers the questions of the screens.

`client.py` is the screen process' side; `server.py`, `session.py` and `questions.py` run in the engine process.
Messages (`protocol.py`) are pickles over a pair of sockets that only these two processes have.
"""
