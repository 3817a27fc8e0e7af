# Processes: units and users become elements of the table's maps, one by one, each allowed to fail.

# Lines of a process: `unit NAME MAP goto CHAIN` or `user NAME MAP goto CHAIN`; and of a name: `fqdn NAME SET timeout TIME`.
check_processes() {
    if [ -z "$1" ]; then return 0; fi
    printf '%s' "$1" | while read -r process_kind process_who process_map process_goto process_chain process_rest; do
        case $process_kind:$process_goto:$process_rest in unit:goto: | user:goto: | fqdn:timeout:) ;; *) exit 1 ;; esac
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
# one: its cgroup owns the listener. A unit that does not run gets the path it will have.
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
    rm -f "$work/sockets_of"
    show_units "$path_units" >"$work/units"
    path_sockets=$(awk 'NF > 3 { for (i = 4; i <= NF; i++) if ($i ~ /\.socket$/ && !seen[$i]++) print $i }' "$work/units")
    while read -r path_unit path_group path_slice path_triggers; do
        if [ "$path_group" != - ]; then path_group=${path_group#/}; else path_group=$(slice_path "$path_slice")$(group_name "$path_unit"); fi
        printf '%s %s\n' "$path_unit" "$path_group"
        for path_trigger in $path_triggers; do
            case $path_trigger in *.socket) printf '%s %s\n' "$path_unit" "$path_trigger" >>"$work/sockets_of" ;; esac
        done
    done <"$work/units"
    if [ -z "$path_sockets" ]; then return 0; fi
    show_units "$path_sockets" >"$work/units"
    while read -r path_socket path_group path_slice path_triggers; do
        if [ "$path_group" != - ]; then path_group=${path_group#/}; else path_group=$(slice_path "$path_slice")$(group_name "$path_socket"); fi
        socket=$path_socket group=$path_group awk '
            $2 == ENVIRON["socket"] { print $1, ENVIRON["group"], $2 }' "$work/sockets_of"
    done <"$work/units"
}

# show_units "A B": `NAME CONTROL-GROUP SLICE TRIGGERS...`, one a line in the order asked, `-` for what systemd does not know.
show_units() {
    # shellcheck disable=SC2086 # unit names were checked to hold no blanks
    systemctl show --property=ControlGroup,Slice,TriggeredBy -- $1 2>/dev/null | names=$1 awk '
        function out() { print name[++n], (group == "" ? "-" : group), (slice == "" ? "system.slice" : slice), triggers; group = slice = triggers = ""; any = 0 }
        BEGIN { split(ENVIRON["names"], name, /[ \n]+/) }
        /^$/ { if (any) out(); next }
        { any = 1; key = substr($0, 1, index($0, "=") - 1); value = substr($0, index($0, "=") + 1) }
        key == "ControlGroup" { group = value }
        key == "Slice" { slice = value }
        key == "TriggeredBy" { triggers = value }
        END { if (any) out() }'
}

# Joins process lines with paths: prints `NAME MAP_LEVEL CHAIN PATH SOCKET-UNIT` for units that have a path.
unit_elements() {
    unit_paths "$1" >"$work/paths"
    printf '%s' "$1" | awk -v paths="$work/paths" '
        BEGIN {
            while ((getline line < paths) > 0) {
                split(line, part, " ")
                if (part[2] != "") { seen[part[1]]++; path[part[1], seen[part[1]]] = part[2]; via[part[1], seen[part[1]]] = part[3] }
            }
        }
        $1 == "unit" {
            for (i = 1; i <= seen[$2]; i++) {
                # a socket unit owns a listener: only what is matched on the way in
                if (via[$2, i] != "" && $3 !~ /_in$/) continue
                print $2, $3 "_" split(path[$2, i], parts, "/"), $5, path[$2, i], via[$2, i]
            }
        }'
}

# Fills the maps and sets for the process lines $1 and replies what became of each.
fill_processes() {
    fill_answers "$1"
    case "
$1" in
    *"
u"*) ;;
    *) return 0 ;;
    esac
    unit_elements "$1" >"$work/elements"
    : >"$work/fill"
    printf '%s' "$1" | while read -r fill_kind fill_who fill_map fill_goto fill_chain; do
        if [ "$fill_kind" = user ]; then
            if fill_uid=$(id -u -- "$fill_who" 2>/dev/null); then
                printf '%s\n' "$fill_who $fill_map { $fill_uid : goto $fill_chain }" >>"$work/fill"
            else
                reply process "user $fill_who: no such user here"
            fi
        elif [ "$fill_kind" = unit ] && ! who=$fill_who awk '$1 == ENVIRON["who"] { found = 1 } END { exit !found }' "$work/elements"; then
            reply process "unit $fill_who: not found"
        fi
    done
    while read -r fill_who fill_map fill_chain fill_path fill_socket; do
        if [ -d "/sys/fs/cgroup/$fill_path" ]; then
            printf '%s\n' "$fill_who $fill_map { \"$fill_path\" : goto $fill_chain }" >>"$work/fill"
        else
            reply process "unit $fill_who: ${fill_socket:-it} does not run; its drop-in adds it when it starts"
        fi
    done <"$work/elements"
    if [ ! -s "$work/fill" ]; then return 0; fi
    sed 's/^[^ ]* /add element inet ringfence /' "$work/fill" >"$work/fill.nft"
    if nft -f "$work/fill.nft" 2>/dev/null; then
        while read -r fill_who fill_element; do reply process "$fill_who: enforced"; done <"$work/fill"
        return 0
    fi
    while read -r fill_who fill_element; do
        if nft "add element inet ringfence $fill_element" </dev/null 2>"$work/said"; then
            reply process "$fill_who: enforced"
        else
            reply process "$fill_who: failed: $(head -n 1 "$work/said")"
        fi
    done <"$work/fill"
}
