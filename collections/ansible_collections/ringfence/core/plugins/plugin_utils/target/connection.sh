# The connection that this command came in on: found by walking up the process tree to sshd, never by a variable.

# read_process PID: process_name, process_parent, process_started (clock ticks since boot); fails where it is gone.
read_process() {
    process_name='' process_parent=0 process_started=0
    if [ ! -r "/proc/$1/stat" ]; then return 1; fi
    IFS= read -r process_stat <"/proc/$1/stat" || return 1
    process_name=${process_stat#*\(}
    process_name=${process_name%\)*}
    # shellcheck disable=SC2086 # split into fields, the first of them is the third of proc(5)
    set -- ${process_stat##*\) }
    process_parent=$2
    process_started=${20}
}

# find_connection PORT: connection_local, connection_remote (as in /proc/net/tcp), connection_family, connection_port,
# connection_peer (text), connection_started (ticks). The session process nearest to init that holds an established
# socket is the one that was made for this connection.
find_connection() {
    connection_peer='' connection_started=0
    find_port=$1
    walk=$$
    set --
    while [ "$walk" -gt 1 ] && read_process "$walk"; do
        case $process_name in
        sshd* | dropbear*) set -- "$@" "/proc/$walk/fd" ;;
        esac
        walk=$process_parent
    done
    if [ $# -eq 0 ]; then return 1; fi
    # one awk over all their descriptors (`DIRECTORY:` before each list) and all sockets
    # shellcheck disable=SC2012 # names of descriptors are numbers
    find_found=$({
        ls -l "$@" "/proc/$$/fd" 2>/dev/null
        socket_text
    } | awk -v want="$find_port" '
        /^\/proc\/[0-9]+\/fd:$/ { split($0, part, "/"); pid = part[3]; order[++pids] = pid; next }
        match($0, /socket:\[[0-9]+\]$/) { inode = substr($0, RSTART + 8, RLENGTH - 9); holds[pid, inode] = 1; next }
        $1 == "S" {
            for (i = 1; i <= pids; i++)
                if ((order[i], $9) in holds && (found[i] == "" || $6 == want))
                    found[i] = order[i] " " $2 " " $3 " " $5 " " $6
        }
        END { for (i = pids; i >= 1; i--) if (found[i] != "") { print found[i]; exit } }')
    if [ -z "$find_found" ]; then return 1; fi
    # shellcheck disable=SC2086 # pid family peer-hex peer-text port
    set -- $find_found
    read_process "$1" || return 1
    connection_family=$2 connection_hex=$3 connection_peer=$4 connection_port=$5
    connection_started=$process_started
}

# Refuses unless the connection comes from inside the control path that the new table keeps open.
guard_connection() {
    if ! find_connection "$rf_port"; then
        if [ -n "$rf_force" ]; then return 0; fi
        refuse lockout "cannot find the ssh connection that this command came in on, so nothing proves that it would stay"
    fi
    reply peer "$connection_peer"
    if [ -n "$rf_force" ]; then return 0; fi
    if [ "$connection_port" != "$rf_port" ]; then
        refuse lockout "this connection came to port $connection_port, the plan keeps port $rf_port open (control.port)"
    fi
    for guard_range in $rf_control; do
        # family-first-last in hexadecimal digits of equal length, so that they compare as text
        guard_first=${guard_range#*-}
        if [ "${guard_range%%-*}" = "$connection_family" ] &&
            awk -v a="x${guard_first%-*}" -v x="x$connection_hex" -v b="x${guard_range##*-}" 'BEGIN { exit !(a <= x && x <= b) }'; then
            return 0
        fi
    done
    refuse lockout "this connection comes from $connection_peer, which is not inside the plan's control path (control.from)"
}
