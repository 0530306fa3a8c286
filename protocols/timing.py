"""Timing: for how long the processes of a team wait for each other, all in seconds, and how the intervals depend.

Read them as `timing.NAME`. The comment behind each is its row in docs/reliability.md, "How long who waits". Intervals
that a caller can set, like a team's `heartbeat_timeout`, have their defaults here.
"""

# who is alive
HEARTBEAT = 1.0  # between two heartbeats of a process
COORDINATOR_SILENCE = 2.5  # without a heartbeat, after which another coordinator takes a coordinator's runs over
AGENT_SILENCE = 3.0  # without a heartbeat, after which another agent gets an agent's tasks, if one can do them
OWN_SILENCE = 2.0  # without hearing its own heartbeat, after which a coordinator calls nobody else silent
HEARTBEAT_TIMEOUT = 5.0  # for which an agent may be silent, for each attempt, if no other can do its task
SILENCE_CHECK = 0.25  # between two looks for silent agents, and for runs to take over
QUEUE_CHECK = 5.0  # between two looks at how far each work queue is empty
UNHELD_GOAL = 5.0  # without a coordinator, after which a goal is looked up in the work queue

# who holds a delivery
ACK_WAIT = 4.0  # without a confirmation, after which the server redelivers a message to another replica
TOUCH = ACK_WAIT / 3  # between two confirmations of what a process holds
STALE = 3.2  # without a confirmation, after which a process no longer relies on holding a message
OLD_TASK = 2.0  # of age, beyond which a work queue asks the log whether a task is settled already
ENDED_RUN = 10.0  # for which a worker remembers that a run has ended
ENDING_DOUBT = 2.0  # in which the log has to confirm that a run has ended
QUEUE_CLOSING = 2.0  # in which a work queue gives back what it holds

# what the server says of a pull request
PULL_EXPIRES = 30.0  # after which a pull request ends
PULL_HEARTBEAT = 2.0  # between two heartbeats of the server within a pull request
PULL_SILENCE = 5.0  # without a word within a pull request, after which the consumer is opened again
CONSUMER_UNUSED = 30.0  # without a pull request, after which the server removes an ordered consumer

# how a process ends
SKILL_GRACE = 2.0  # in which a cancelled skill has to end
ISOLATED_GRACE = 0.5  # in which an isolated worker has to end
WORKER_GRACE = 4.0  # in which a worker that stops may finish its tasks
SUPERVISOR_GRACE = 5.0  # between a supervisor's SIGTERM and its SIGKILL
PROCESS_END = 10.0  # after which a process that does not end is ended by its own watchdog
LAUNCHER_GRACE = 10.0  # in which the launcher of a command behind walls has to clean up
THREADS_END = 1.0  # which other threads have after the main thread has ended
WATCHDOG_CHECK = 0.25  # between two looks of the watchdog at its event loop
ISOLATED_IDLE = 10.0  # for which an idle isolated worker is kept
ISOLATED_RETRY = 1.0  # before the next try, if an isolated worker could not be started

# whether the broker is there
FIRST_CONNECT = 1.5  # for which an address that refuses the first connection is tried again
HANDSHAKE = 5  # in which a server has to answer an attempt to connect
ANSWER = 2.0  # in which the broker has to answer a request, if the caller says nothing else
LEADER_ELECTION = 12.0  # for which a request is repeated while a cluster elects a leader; the slowest took 8.5
SNAPSHOT = 60.0  # in which the next piece of a stream that is copied or restored has to come
STORE_RETRY = 1.0  # before the next try to append, if the broker is away or full
BROKER_START = 10.0  # in which an embedded broker has to start
BROKER_STOP = 5.0  # between its SIGTERM and its SIGKILL
BROKER_CHECK = 2.0  # between two looks whether it answers and can write
BROKER_RESTART = 8.0  # the longest pause between two restarts of it
BROKER_CALM = 60.0  # without a restart, after which that pause is short again

# what is removed
HOUSEKEEPING = 10.0  # between two looks how full the log is
RETENTION_CHECK = 600.0  # between two looks whether the team's retention lets runs go
ENDED_KEPT = 60.0  # for which an ended run is left to those who follow it, whatever the retention
BLOB_UNNAMED = 3600.0  # in which something on the log has to name a new blob; after that it may be removed
BLOB_OF_RUN = 86400.0  # the same, as long as a run is under way that may have stored it

# how long a command waits
FOLLOWER_LOST = 5.0  # without a broker, after which `hustings run` stops following
COORDINATOR_LOST = 6.0  # without a coordinator, after which `hustings run` says that the run waits for one
TEAM_LOST = 15.0  # without a broker, after which `hustings up` ends
TEAM_START = 20.0  # after which `hustings up` names the agents that are not there yet
CHILD_READY = 60.0  # in which a new process has to be ready; else `hustings restart` keeps the old one
CANCEL = 2.0  # in which a live coordinator ends a cancelled run
CANCEL_TAKEOVER = 10.0  # more, in which another coordinator does it, if the first has died
ROLL_CALL = 2.0  # in which a live coordinator answers `hustings dead redrive`

assert HEARTBEAT < OWN_SILENCE < COORDINATOR_SILENCE, "a process knows that it is deaf before it calls others silent"
assert COORDINATOR_SILENCE > 2 * HEARTBEAT, "one heartbeat may be lost"
assert AGENT_SILENCE >= 3 * HEARTBEAT, "two heartbeats may be lost"
assert SILENCE_CHECK < HEARTBEAT, "what is noticed late counts as silence"
assert COORDINATOR_SILENCE < ACK_WAIT < UNHELD_GOAL, "a run is taken over, else its goal redelivered, else looked up"
assert ACK_WAIT < HEARTBEAT_TIMEOUT, "another replica gets a task before the coordinator gives it up"
assert AGENT_SILENCE < HEARTBEAT_TIMEOUT, "another agent gets a task before its agent is given up"
assert 2 * TOUCH < STALE < ACK_WAIT, "one confirmation may be lost; nobody relies on what another replica may have"
assert OLD_TASK + ENDING_DOUBT < ENDED_RUN, "an ended run is remembered until the work queue asks the log itself"
assert PULL_SILENCE > 2 * PULL_HEARTBEAT, "one of the server's heartbeats may be lost"
assert PULL_EXPIRES >= 2 * PULL_HEARTBEAT, "the server accepts no longer heartbeat"
assert ISOLATED_GRACE < SKILL_GRACE < WORKER_GRACE, "a skill is cut off within its worker's time"
assert WORKER_GRACE < SUPERVISOR_GRACE < PROCESS_END, "tasks are handed back before the process is killed"
assert WATCHDOG_CHECK * 4 <= HEARTBEAT_TIMEOUT, "a loop counts as blocked only after several looks"
assert FIRST_CONNECT < ANSWER, "an address without a server is reported within two seconds"
assert FIRST_CONNECT < HANDSHAKE, "a slow server is waited for, a missing one is not"
assert HOUSEKEEPING < ENDED_KEPT < RETENTION_CHECK, "a log that fills up is not left to the next look at the retention"
assert 10 * LEADER_ELECTION < BLOB_UNNAMED / 2, "an event that names a blob may be written several times over"
assert BLOB_UNNAMED < BLOB_OF_RUN, "a run may name what it stores at its end"
assert FOLLOWER_LOST < COORDINATOR_LOST, "a broker that is away is not taken for a coordinator that is"
assert COORDINATOR_SILENCE + HEARTBEAT < COORDINATOR_LOST, "nothing is said where another coordinator takes over"
assert TEAM_LOST > BROKER_START > BROKER_STOP, "an embedded broker may be restarted under a running team"
assert TEAM_START > BROKER_START, "the broker starts before the agents"
assert CANCEL_TAKEOVER > COORDINATOR_SILENCE + ACK_WAIT, "a takeover fits in"
