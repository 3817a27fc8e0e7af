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

# find_connection PORT [FILE]: connection_local, connection_remote (as in /proc/net/tcp), connection_family, connection_port,
# connection_peer (text), connection_started (ticks). The session process nearest to init that holds an established
# socket is the one that was made for this connection.
find_connection() {
    connection_peer='' connection_started=0
    find_port=$1 find_file=${2-}
    walk=$$
    set --
    while [ "$walk" -gt 1 ] && read_process "$walk"; do
        case $process_name in
        sshd* | dropbear*) set -- "$@" "/proc/$walk/fd" && find_eldest=$walk ;;
        esac
        walk=$process_parent
    done
    if [ $# -eq 0 ]; then return 1; fi
    # One awk over all their descriptors (`DIRECTORY:` before each list) and all sockets, which go to FILE as by
    # socket_text; without a FILE one that a session holds ends the reading (the eldest is sshd itself, which holds what
    # it has just accepted).
    if [ -n "$find_file" ]; then true >"$find_file" || return 1; fi
    prepare_sockets
    # shellcheck disable=SC2012,SC2086 # names of descriptors are numbers; the second file may be none
    find_found=$(ls -l "$@" "/proc/$$/fd" 2>/dev/null | awk \
        -v want="$find_port" -v file="$find_file" -v eldest="$find_eldest" -v little="$socket_little" '
        /^\/proc\/[0-9]+\/fd:$/ { split($0, part, "/"); pid = part[3]; order[++pids] = pid; next }
        match($0, /socket:\[[0-9]+\]$/) { inode = substr($0, RSTART + 8, RLENGTH - 9); holds[pid, inode] = 1; next }
        function listens(port) { if (file != "") print "L " port >file }
        function stands(family, hex, local, remote, lport, rport, uid, inode,    i) {
            if (file != "") print "S", family, hex, local, remote, lport, rport, uid, inode >file
            for (i = 1; i <= pids; i++)
                if ((order[i], inode) in holds && (found[i] == "" || lport == want)) {
                    found[i] = order[i] " " family " " hex " " remote " " lport
                    if (order[i] != eldest && lport == want && file == "") exit
                }
        }
        END { for (i = pids; i >= 1; i--) if (found[i] != "") { print found[i]; exit } }
        '"$socket_program" - /proc/net/tcp $socket_six)
    if [ -z "$find_found" ]; then return 1; fi
    # shellcheck disable=SC2086 # pid family peer-hex peer-text port
    set -- $find_found
    read_process "$1" || return 1
    connection_family=$2 connection_hex=$3 connection_peer=$4 connection_port=$5
    connection_started=$process_started
}

# at_most A B: compares hexadecimal digits of equal length, four at a time, which any shell can count with.
at_most() {
    most_low=$1 most_high=$2
    while [ -n "$most_low" ]; do
        most_a=$((0x${most_low%"${most_low#????}"})) most_b=$((0x${most_high%"${most_high#????}"}))
        if [ "$most_a" -ne "$most_b" ]; then
            [ "$most_a" -lt "$most_b" ]
            return
        fi
        most_low=${most_low#????} most_high=${most_high#????}
    done
}

# guard_connection [FILE]: refuses unless the connection comes from inside the control path that the new table keeps open.
guard_connection() {
    if ! find_connection "$rf_port" "${1-}"; then
        if [ -n "$rf_force" ]; then
            if [ -n "${1-}" ]; then socket_text >"$1"; fi
            return 0
        fi
        refuse lockout "cannot find the ssh connection of this command, so it cannot be proven to survive"
    fi
    reply peer "$connection_peer"
    if [ -n "$rf_force" ]; then return 0; fi
    inside_control "$rf_control" "$rf_port"
}

# inside_control RANGES PORT: refuses unless the connection that was found lies in them.
inside_control() {
    if [ "$connection_port" != "$2" ]; then
        refuse lockout "this connection uses port $connection_port, but the plan keeps port $2 open (control.port)"
    fi
    for guard_range in $1; do
        # family-first-last in hexadecimal digits of equal length
        guard_first=${guard_range#*-}
        if [ "${guard_range%%-*}" = "$connection_family" ] &&
            at_most "${guard_first%-*}" "$connection_hex" && at_most "$connection_hex" "${guard_range##*-}"; then
            return 0
        fi
    done
    refuse lockout "this connection comes from $connection_peer, which is not inside the plan's control path (control.from)"
}
