# Containers: the addresses that the containers of a policy have now become elements of the table's maps.

container_unit=/etc/systemd/system/ringfence-containers.service

has_containers() {
    case "
$1" in
    *"
container "*) return 0 ;;
    *) return 1 ;;
    esac
}

# container_elements LINES ADDRESSES: prints `NAME MAP CHAIN ADDRESS` for every element that there must be. An address
# that two containers have is nobody's.
container_elements() {
    printf '%s\n\n%s\n' "$2" "$1" | awk '
        !lines && $0 == "" { lines = 1; next }
        !lines {
            if (!(($1, $2) in known)) { known[$1, $2] = 1; address[$1, ++count[$1]] = $2; holders[$2]++ }
            next
        }
        $1 == "container" {
            family = match($3, /(in|out)[46]/) ? substr($3, RSTART + RLENGTH - 1, 1) : 0
            for (i = 1; i <= count[$2]; i++) {
                one = address[$2, i]
                if (holders[one] == 1 && family == (one ~ /:/ ? 6 : 4)) print $2, $3, $5, one
            }
        }'
}

# load_containers LINES ELEMENTS: puts the elements, and no others, into the maps of the lines, in one transaction.
load_containers() {
    printf '%s\n\n%s\n' "$2" "$1" | awk '
        !lines && $0 == "" { lines = 1; next }
        !lines { held[$2] = held[$2] (held[$2] == "" ? "" : ", ") $4 " : goto " $3; next }
        $1 == "container" && !seen[$3]++ {
            print "flush map inet ringfence " $3
            if (held[$3] != "") print "add element inet ringfence " $3 " { " held[$3] " }"
        }' | nft -f - 2>&1
}

# held_elements LINES: prints `ADDRESS CHAIN` for what the maps that meet containers first lead to in the kernel.
held_elements() {
    printf '%s' "$1" | awk '$1 == "container" && $3 ~ /^containers_in[46]$/ && !seen[$3]++ { print $3 }' |
        while read -r held_map; do nft -nn list map inet ringfence "$held_map" </dev/null 2>/dev/null; done |
        awk '{
            n = split($0, part, /[,{}]/)
            for (i = 1; i <= n; i++) if (split(part[i], word, " ") > 3 && word[3] == "goto") print word[1], word[4]
        }'
}

# left_addresses HELD ELEMENTS: prints the addresses that lead elsewhere from now on: whose they were has gone.
left_addresses() {
    printf '%s\n\n%s\n' "$2" "$1" | awk '
        !held && $0 == "" { held = 1; next }
        !held { if ($2 ~ /^containers_in[46]$/) stays[$4, $3] = 1; next }
        $0 != "" && !(($1, $2) in stays) { print $1 }'
}

# Has connection tracking forget every connection of the addresses of standard input, so that nobody who gets one of them is
# reached by what another began.
forget_addresses() {
    if have conntrack; then
        while read -r forget_one; do
            case $forget_one in *:*) forget_family=ipv6 ;; *) forget_family=ipv4 ;; esac
            for forget_end in -s -d -r -q; do conntrack -D -f "$forget_family" "$forget_end" "$forget_one"; done
        done >/dev/null 2>&1
    else
        tracked_python forget_addresses
    fi
    return 0
}

# move_containers LINES NOW: the maps lead to who has an address now, and what its last holder had begun ends. What nft said is
# in move_said.
move_containers() {
    move_elements=$(container_elements "$1" "$2")
    move_held=$(held_elements "$1")
    # who is cut off stays so at every address that the maps are about to open
    move_emergency "$2"
    move_said=$(load_containers "$1" "$move_elements") || return 1
    move_left=$(left_addresses "$move_held" "$move_elements")
    if [ -n "$move_left" ]; then printf '%s\n' "$move_left" | forget_addresses; fi
    return 0
}

# Before a table is swapped in for one with the process lines $1: what containers gave up since the last look ends, as long as
# the maps still tell whose it was.
move_before() {
    if ! has_containers "$1"; then return 0; fi
    lock_containers
    # a subshell, which asks no longer than that
    if before_now=$(ask_seconds=2 && containers_now); then move_containers "$1" "$before_now"; fi
    leave_containers
}

# lock_containers, leave_containers: one at a time asks the engine and fills the maps, so that no older answer comes behind
# a newer one.
lock_containers() {
    if have flock && [ -d "$runs" ] && { true >>"$runs/containers.lock"; } 2>/dev/null; then
        exec 7>>"$runs/containers.lock"
        lock_within 30 7
    fi
    return 0
}

leave_containers() {
    exec 7>&-
}

# Fills the maps for the process lines $1 and replies what became of each container.
fill_containers() {
    sync_bridged
    if ! has_containers "$1"; then return 0; fi
    lock_containers
    fill_held=$(containers_now) || {
        leave_containers
        reply process 'containers: unknown, because their engine does not answer: they stay as they are, new ones closed'
        return 0
    }
    if move_containers "$1" "$fill_held"; then fill_word='enforced'; else fill_word="failed: ${move_said%%"
"*}"; fi
    leave_containers
    fill_elements_now=$move_elements
    for fill_who in $(container_names "$1"); do
        case "
$fill_elements_now" in
        *"
$fill_who "*) reply process "container $fill_who: $fill_word" ;;
        *) reply process "container $fill_who: does not run" ;;
        esac
    done
}

container_names() {
    printf '%s' "$1" | awk '$1 == "container" && !seen[$2]++ { print $2 }'
}

# follow_engine ENGINE: prints a line whenever a container may have got or lost an address; what happened while it was not
# listened to counts as well. One that tells of nothing (its log of events is off, its service is gone) is asked less often.
follow_engine() {
    follow_since=$(date +%s)
    follow_failed=0
    while :; do
        echo again
        while engine_sleeps "$1"; do sleep 3; done
        follow_next=$(date +%s)
        case $1 in
        podman) "$1" events --since "$follow_since" --filter type=container --filter type=network --filter event=init \
            --filter event=start --filter event=died --filter event=cleanup --filter event=connect \
            --filter event=disconnect --filter event=rename --format '{{.Status}}' 2>/dev/null </dev/null ;;
        *) "$1" events --since "$follow_since" --filter type=container --filter type=network --filter event=connect \
            --filter event=disconnect --filter event=start --filter event=die --filter event=rename --format '{{.Action}}' 2>/dev/null </dev/null ;;
        esac
        follow_failed=$((follow_failed + 1))
        if [ "$(date +%s)" -ge "$((follow_next + 5))" ]; then follow_failed=0; fi
        follow_since=$follow_next
        if [ "$follow_failed" -lt 20 ]; then sleep 1; else sleep 15; fi
    done
}

# Prints a line whenever any engine tells of a change, for follow_told, as long as the host runs; and each minute, since events get
# lost (journald that keeps none, or not all).
follow_engines() {
    for follow_engine in $(engines); do follow_engine "$follow_engine" & done
    while sleep 60; do echo again; done
}

# Waits for such a line; several that came meanwhile are one.
follow_told() {
    follow_said=$(dd bs=65536 count=1 2>/dev/null) && [ -n "$follow_said" ]
}


# Runs as long as the host does: fills the maps whenever an engine tells of a change. It takes no lock of a rollout; what it gives to a
# table that was swapped meanwhile is refused as a whole, and whoever swaps fills in as well.
verb_containers() {
    check_state
    open_runs || exit 1
    follow_engines | while follow_told; do
        bridged_again
        read_confirmed
        follow_lines=$confirmed_processes
        if read_wait && stands "$candidate_table"; then follow_lines=$candidate_processes; fi
        if ! has_containers "$follow_lines"; then continue; fi
        lock_containers
        if follow_held=$(containers_now); then move_containers "$follow_lines" "$follow_held"; fi
        leave_containers
    done
}

# Called with the confirmed process lines.
sync_containers() {
    if ! has_containers "$1"; then
        remove_containers
        return 0
    fi
    sync_file "$container_unit" "[Unit]
Description=Ringfence: which addresses the containers of its policy have
ConditionPathExists=$state/confirmed.nft
After=ringfence.service
StartLimitIntervalSec=0

[Service]
ExecStart=/bin/sh $state/ringfence.sh containers
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target" || return 1
    sync_wanted multi-user.target "${container_unit##*/}" || return 1
}

# Has the unit begin anew, which fills in at once.
follow_containers() {
    if has_containers "$1" && systemd_runs; then
        systemctl "$2" --no-block "${container_unit##*/}" </dev/null >/dev/null 2>&1 9>&-
    fi
    return 0
}

remove_containers() {
    if [ ! -e "$container_unit" ]; then return 0; fi
    if systemd_runs; then
        systemctl stop "${container_unit##*/}" 2>/dev/null
        systemctl reset-failed "${container_unit##*/}" 2>/dev/null
    fi
    rm -f "$container_unit" "$units/multi-user.target.wants/${container_unit##*/}"
    sync_changed=1
}

# Reads, before the kernel is listed, which addresses containers have; behind it what has changed meanwhile is told apart.
status_containers_now() {
    status_containers_unread=
    status_held=$(containers_now) || status_containers_unread=1
}

status_containers() {
    status_later=
    if [ -z "$status_containers_unread" ]; then status_later=$(containers_now) || status_containers_unread=1; fi
    if [ -n "$status_containers_unread" ]; then
        reply unknown 'the engine of the containers does not answer, so nothing is known of them'
        return 0
    fi
    status_filled=$(container_elements "$confirmed_processes" "$status_held")
    status_filled_later=$(container_elements "$confirmed_processes" "$status_later")
    printf '%s\n\n%s\n' "$status_filled" "$status_filled_later" | awk '
        !later && $0 == "" { later = 1; next }
        $0 == "" { next }
        !later { before[$0] = 1; next }
        { print "ringfence:container=" (($0 in before) ? "runs " : "changing ") $0; delete before[$0] }
        END { for (line in before) print "ringfence:container=changing " line }'
    for status_who in $(container_names "$confirmed_processes"); do
        case "
$status_filled
$status_filled_later" in
        *"
$status_who "*) ;;
        *) reply no_container "$status_who" ;;
        esac
    done
    if systemd_runs && ! systemctl is-active --quiet "${container_unit##*/}"; then
        reply damaged 'the unit that follows containers does not run: one that starts is closed'
    fi
}

# The interfaces by which the IPv4 addresses of the lines $1 are reached, one look for each 256 addresses.
container_links() {
    if ! have ip; then return 0; fi
    printf '%s\n' "$1" | awk '$2 ~ /^[0-9.]+$/ { net = $2; sub(/[0-9]+$/, "", net); if (!seen[net]++) print $2 }' |
        while read -r link_address; do ip -o route get "$link_address" 2>/dev/null; done |
        awk '{ for (i = 1; i < NF; i++) if ($i == "dev" && !seen[$(i + 1)]++) print $(i + 1) }'
}

# What containers of one bridge send each other passes the table only where the kernel gives bridged packets to it; and what
# one sends from an address of nobody here meets no table on its way out, unless the kernel checks the way back.
foreign_containers() {
    if ! has_containers "$confirmed_processes"; then return 0; fi
    for foreign_link in $(container_links "${status_held-}"); do
        foreign_filters="$(cat /proc/sys/net/ipv4/conf/all/rp_filter "/proc/sys/net/ipv4/conf/$foreign_link/rp_filter" 2>/dev/null)"
        case $foreign_filters in
        '' | *2* | 0"$newline"0) echo "net.ipv4.conf.$foreign_link.rp_filter is not 1: a container that forges addresses can send past its own table" ;;
        esac
    done
    for foreign_switch in iptables ip6tables; do
        if [ "$(cat "/proc/sys/net/bridge/bridge-nf-call-$foreign_switch" 2>/dev/null)" != 1 ]; then
            echo "net.bridge.bridge-nf-call-$foreign_switch is off: what containers on one bridge send each other is not seen"
        fi
    done
}
