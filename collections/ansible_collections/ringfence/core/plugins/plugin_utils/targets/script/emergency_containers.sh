# Emergencies of containers: named as their engine names them, and in the kernel by the addresses that they have now.

emergency_containers=ringfence-emergency-containers.service

# Whether a container is named in the lines $1; behind ~ is who this host forwards for, whose addresses stay as they are.
emergency_inside() {
    case $1 in *"element container "[!~]*) return 0 ;; *) return 1 ;; esac
}

# Whether the lines $1 name others than the host, which only nft meets.
emergency_forwards() {
    case $1 in *"element container "*) return 0 ;; *) return 1 ;; esac
}

# emergency_moved LINES [NOW]: the lines with the addresses that their containers have now, in emergency_moved; fails where these
# are the ones that they have already, or nobody knows: then what was known last stays, and moved_unknown says so. NOW is what
# containers_now has told already.
emergency_moved() {
    emergency_moved=$1
    moved_unknown=
    if ! emergency_inside "$1"; then return 1; fi
    if [ $# -gt 1 ]; then
        moved_now=$2
    elif ask_seconds=2 && ! moved_now=$(containers_now); then
        moved_unknown='neither docker nor podman gives an answer that can be read, so containers go by the addresses that are known'
        return 1
    fi
    # one that its engine knows nothing of stays cut off where it was, unless another has that address now; nobody is let
    # through for it
    emergency_moved=$(printf '%s\n\n%s\n' "$moved_now" "$1" | awk '
        !lines && $0 == "" { lines = 1; next }
        !lines { if (!(($1, $2) in known)) { known[$1, $2] = taken[$2] = 1; has[$1] = has[$1] " " $2 } next }
        $0 == "" { next }
        $1 == "element" && $2 == "container" && $3 ~ /^~/ { print; next }
        $1 == "emergency" { cuts = $3 == "quarantine" }
        $1 == "element" && $2 == "container" && !($3 in has) && cuts {
            text = $1 " " $2 " " $3
            for (i = 4; i <= NF; i++) if (!($i in taken)) text = text " " $i
            print text
            next
        }
        $1 == "element" && $2 == "container" { print $1, $2, $3 has[$3]; next }
        { print }')
    moved_gone=$(printf '%s\n\n%s\n' "$moved_now" "$1" | awk '
        !lines && $0 == "" { lines = 1; next }
        !lines { has[$1] = 1; next }
        $1 == "element" && $2 == "container" && $3 !~ /^~/ && !($3 in has) && !told[$3]++ { printf "%s%s", (n++ ? ", " : ""), $3 }')
    if [ -n "$moved_gone" ]; then moved_unknown="neither docker nor podman knows of $moved_gone: cut off stays the address that was known last"; fi
    [ "$emergency_moved" != "$1" ]
}

# move_emergency NOW: emergencies meet their containers at the addresses of NOW before a policy lets anybody reach them there.
move_emergency() {
    if [ ! -e "$emergency_kept" ]; then return 0; fi
    # what cannot be given back is not taken: the unit of the emergencies moves them
    if [ -z "$locked$rf_locked" ] && ! have flock; then return 0; fi
    lock_emergency || return 0
    if emergency_read && emergency_moved "$emergency_lines" "$1"; then
        keep_emergency "$emergency_moved"
        load_emergency "$emergency_moved" safe
    fi
    leave_emergency
}

# Runs as long as the host does: an emergency follows its containers wherever they get another address.
verb_follow() {
    check_state
    open_runs || exit 1
    follow_engines | while follow_told; do
        lock_containers
        if ! lock_emergency; then
            leave_containers
            continue
        fi
        if emergency_read && emergency_moved "$emergency_lines"; then
            # what cannot be kept is in the kernel all the same
            keep_emergency "$emergency_moved"
            load_emergency "$emergency_moved" safe
        fi
        leave_emergency
        leave_containers
    done
}

# Called with the lines that are kept, before systemd is told of what changed.
sync_emergency_containers() {
    if ! emergency_inside "$1"; then
        if [ ! -e "$units/$emergency_containers" ]; then return 0; fi
        systemctl stop "$emergency_containers" </dev/null >/dev/null 2>&1 8>&- 9>&-
        rm -f "$units/$emergency_containers" "$units/multi-user.target.wants/$emergency_containers"
        sync_changed=1
        return 0
    fi
    sync_file "$units/$emergency_containers" "[Unit]
Description=Ringfence: which addresses containers have that are cut off or let through for a while
ConditionPathExists=$state/emergency
After=$emergency_unit
StartLimitIntervalSec=0

[Service]
ExecStart=/bin/sh $state/emergency.sh follow
Restart=always
RestartSec=1

[Install]
WantedBy=multi-user.target" || return 1
    sync_wanted multi-user.target "$emergency_containers" || return 1
}

# Has the unit begin where containers are named.
follow_emergency() {
    if emergency_inside "$1" && systemd_runs; then
        { systemctl daemon-reload && systemctl start --no-block "$emergency_containers"; } </dev/null >/dev/null 2>&1 8>&- 9>&-
    fi
    return 0
}
