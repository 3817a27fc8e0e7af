# Processes: units and users become elements of the table's maps, one by one, each allowed to fail.

# Lines of a process: `unit NAME MAP goto CHAIN`, the same for `user` and `container`; and of a name: `fqdn NAME SET timeout TIME`.
check_processes() {
    if [ -z "$1" ]; then return 0; fi
    printf '%s' "$1" | while read -r process_kind process_who process_map process_goto process_chain process_rest; do
        case $process_kind:$process_goto:$process_rest in unit:goto: | user:goto: | container:goto: | fqdn:timeout:) ;; *) exit 1 ;; esac
        case $process_kind:$process_who in *: | *:*[!A-Za-z0-9:_.@\\-]* | fqdn:[!A-Za-z0-9]*) exit 1 ;; esac
        case $process_map$process_chain in *[!A-Za-z0-9_]*) exit 1 ;; esac
    done
}

systemd_runs() {
    [ -d /run/systemd/system ] && have systemctl
}

# slice_path a-b.slice: the slices it lies in, as cgroup directories.
slice_path() {
    slice_name=${1%.slice}
    slice_done=
    slice_out=
    if [ "$slice_name" = - ] || [ -z "$slice_name" ]; then return 0; fi
    while [ -n "$slice_name" ]; do
        slice_part=${slice_name%%-*}
        case $slice_name in *-*) slice_name=${slice_name#*-} ;; *) slice_name= ;; esac
        slice_done=$slice_done${slice_done:+-}$slice_part
        slice_out=$slice_out$slice_done.slice/
    done
    printf '%s' "$slice_out"
}

# group_name UNIT: its directory; systemd marks what the kernel might take for a file of its own (cg_needs_escape).
group_name() {
    case $1 in
    _* | .* | cgroup.* | cpu.* | cpuacct.* | cpuset.* | io.* | blkio.* | memory.* | devices.* | pids.* | bpf-*.* | hugetlb.* | misc.* | rdma.* | freezer.* | perf_event.* | net_cls.* | net_prio.*)
        printf '_%s' "$1"
        ;;
    *) printf '%s' "$1" ;;
    esac
}

# Prints `NAME PATH` for every unit of the process lines $1, and `NAME PATH socket` for a socket unit that listens for
# one: its cgroup owns the listener. A unit that does not run gets the path it will have. Fails where systemd does not
# answer: no answer is not the same as no unit.
unit_paths() {
    path_units=$(printf '%s' "$1" | awk '$1 == "unit" && !seen[$2]++ { print $2 }')
    if [ -z "$path_units" ]; then return 0; fi
    if ! systemd_runs; then
        for path_unit in $path_units; do
            # by awk: a backslash of the name would escape in a pattern of find
            path_found=$(cd /sys/fs/cgroup && find . -maxdepth 6 -type d 2>/dev/null |
                unit=$path_unit awk -F/ '$NF == ENVIRON["unit"] && !found++')
            printf '%s %s\n' "$path_unit" "${path_found#./}"
        done
        return 0
    fi
    path_shown=$(show_units "$path_units") || return 1
    path_owners=
    while read -r path_unit path_group path_slice path_triggers; do
        if [ "$path_group" != - ]; then path_group=${path_group#/}; else path_group=$(slice_path "$path_slice")$(group_name "$path_unit"); fi
        printf '%s %s\n' "$path_unit" "$path_group"
        for path_trigger in $path_triggers; do
            case $path_trigger in *.socket) path_owners="$path_owners$path_unit $path_trigger
" ;; esac
        done
    done <<SHOWN
$path_shown
SHOWN
    if [ -z "$path_owners" ]; then return 0; fi
    path_shown=$(show_units "$(printf '%s' "$path_owners" | awk '!seen[$2]++ { print $2 }')") || return 1
    while read -r path_socket path_group path_slice path_triggers; do
        if [ "$path_group" != - ]; then path_group=${path_group#/}; else path_group=$(slice_path "$path_slice")$(group_name "$path_socket"); fi
        printf '%s' "$path_owners" | socket=$path_socket group=$path_group awk '
            $2 == ENVIRON["socket"] { print $1, ENVIRON["group"], $2 }'
    done <<SHOWN
$path_shown
SHOWN
}

# show_units "A B": `NAME CONTROL-GROUP SLICE TRIGGERS...`, one a line in the order asked, `-` for what systemd does not know.
# Fails where systemd did not answer for each.
show_units() {
    # shellcheck disable=SC2086 # unit names were checked to hold no blanks
    if show_units_at_once $1; then return 0; fi
    # one whose name systemd does not take has no answer: they are asked one by one
    for show_unit in $1; do
        show_units_at_once "$show_unit" && continue
        systemctl show --property=Version >/dev/null 2>&1 || return 1
        printf '%s - system.slice\n' "$show_unit"
    done
}

show_units_at_once() {
    show_answer=$(systemctl show --property=ControlGroup,Slice,TriggeredBy -- "$@" 2>/dev/null | names=$* awk '
        function out() { print name[++n], (group == "" ? "-" : group), (slice == "" ? "system.slice" : slice), triggers; group = slice = triggers = ""; any = 0 }
        BEGIN { wanted = split(ENVIRON["names"], name, /[ \n]+/) }
        /^$/ { if (any) out(); next }
        { any = 1; key = substr($0, 1, index($0, "=") - 1); value = substr($0, index($0, "=") + 1) }
        key == "ControlGroup" { group = value }
        key == "Slice" { slice = value }
        key == "TriggeredBy" { triggers = value }
        END { if (any) out(); exit n != wanted }') && printf '%s\n' "$show_answer"
}

# Joins process lines with paths: prints `NAME MAP_LEVEL CHAIN PATH SOCKET-UNIT` for units that have a path. Fails where
# that cannot be known.
unit_elements() {
    element_paths=$(unit_paths "$1") || return 1
    printf '%s\n\n%s' "$element_paths" "$1" | awk -v levels="$map_levels" '
        $0 == "" { paths = 1 }
        !paths && $2 != "" { seen[$1]++; path[$1, seen[$1]] = $2; via[$1, seen[$1]] = $3 }
        paths && $1 == "unit" {
            for (i = 1; i <= seen[$2]; i++) {
                # a socket unit owns a listener: only what is matched on the way in
                if (via[$2, i] != "" && $3 !~ /_in$/) continue
                print $2, $3 (levels ? "_" split(path[$2, i], parts, "/") : ""), $5, path[$2, i], via[$2, i]
            }
        }'
}

# Prints `NAME SUBSTATE INVOCATION` for every unit of the elements $1, `NAME changing` for one that begins or ends: its
# cgroup is there, and what its drop-in does is not done yet, or done already. Nothing where systemd does not answer.
unit_moments() {
    moment_units=$(printf '%s\n' "$1" | awk '
        $1 != "" { name = $5 == "" ? $1 : $5; if (!seen[name]++) print name }')
    if [ -z "$moment_units" ] || ! systemd_runs; then return 0; fi
    # shellcheck disable=SC2086 # unit names were checked to hold no blanks
    systemctl show --property=InvocationID,SubState -- $moment_units 2>/dev/null | names=$moment_units awk '
        function out() {
            if (state ~ /^(condition|start-pre|start-chown|stop-post|final)/) print name[++n], "changing"
            else print name[++n], state, invocation
            state = invocation = ""; any = 0
        }
        BEGIN { split(ENVIRON["names"], name, /[ \n]+/) }
        /^$/ { if (any) out(); next }
        { any = 1; value = substr($0, index($0, "=") + 1) }
        /^SubState=/ { state = value }
        /^InvocationID=/ { invocation = value }
        END { if (any) out() }'
}

# Prints the process lines $1 whose unit none of the elements $2 is of.
units_without() {
    printf '%s\n\n%s' "$2" "$1" | awk '
        $0 == "" { elements = 1 }
        !elements { has[$1] = 1 }
        elements && $1 == "unit" && !($2 in has) && !told[$2]++ { print $2 }'
}

# Fills the maps and sets for the process lines $1 and replies what became of each.
fill_processes() {
    fill_answers "$1"
    # at boot no engine runs yet
    if [ "$verb" = boot ]; then
        sync_bridged
        follow_containers "$1" try-restart
    else
        fill_containers "$1"
    fi
    case "
$1" in
    *"
u"*) ;;
    *) return 0 ;;
    esac
    if ! fill_units=$(unit_elements "$1"); then
        reply process 'units: unknown, because systemd does not answer'
        reply warning 'the units of the policy are not filled in, because systemd does not answer'
        fill_units=
    else
        for fill_who in $(units_without "$1" "$fill_units"); do reply process "unit $fill_who: not found"; done
    fi
    fill_lines=
    while read -r fill_kind fill_who fill_map fill_goto fill_chain; do
        if [ "$fill_kind" != user ]; then continue; fi
        if fill_uid=$(id -u -- "$fill_who" 2>/dev/null); then
            fill_lines="${fill_lines}user $fill_who $fill_map $fill_chain $fill_uid
"
        else
            reply process "user $fill_who: no such user here"
        fi
    done <<LINES
$1
LINES
    while read -r fill_who fill_map fill_chain fill_path fill_socket; do
        if [ -z "$fill_who" ]; then continue; fi
        if [ -d "/sys/fs/cgroup/$fill_path" ]; then
            fill_lines="${fill_lines}unit $fill_who $fill_map $fill_chain $fill_path
"
        else
            reply process "unit $fill_who: ${fill_socket:-it} does not run; its drop-in adds it when it starts"
        fi
    done <<ELEMENTS
$fill_units
ELEMENTS
    if [ -z "$fill_lines" ]; then return 0; fi
    fill_elements "$fill_lines"
}
