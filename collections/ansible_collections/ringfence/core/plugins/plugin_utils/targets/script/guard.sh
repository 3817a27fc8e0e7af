# Guard: other firewalls that flush tables which ours are in, some of it unknown to systemd (firewalld reloads by D-Bus).
#
# A drop-in for their units loads ours again where one of them starts, reloads or stops, and as long as one of them is
# active, a unit looks each second whether ours is still entered.

guard_unit=$units/ringfence-guard.service
emergency_guard_unit=$units/ringfence-emergency-guard.service

# wiper_dropins DROPIN WORDS UNITS: has the script do what WORDS say behind each of UNITS. firewalld counts as started
# before it flushes, and answers when it is done.
wiper_dropins() {
    for wiper in $3; do
        sync_file "$units/$wiper.d/$1" "[Service]
ExecStartPost=-/bin/sh -c 'timeout 20 firewall-cmd --state >/dev/null 2>&1; exec /bin/sh $state/$2'
ExecReload=-/bin/sh $state/$2
ExecStopPost=-/bin/sh $state/$2" || return 1
    done
}

# sync_guard UNIT WORDS UNITS: writes the unit that guards, and enables it for each of UNITS; takes it away for none.
sync_guard() {
    if [ -z "$3" ]; then
        if [ -z "$sync_only_tell" ]; then remove_guard "$1"; fi
        return 0
    fi
    sync_file "$1" "[Unit]
Description=Ringfence: what other firewalls flush is loaded again
After=$3
StopWhenUnneeded=yes
StartLimitIntervalSec=0

[Service]
ExecStart=/bin/sh $state/$2
Restart=always
RestartSec=1

[Install]
WantedBy=$3" || return 1
    if [ -n "$sync_only_tell" ]; then return 0; fi
    for wiper in $3; do sync_wanted "$wiper" "${1##*/}" || return 1; done
}

# start_guard UNIT UNITS: begins it where one of UNITS is active already; systemd has read it.
start_guard() {
    # shellcheck disable=SC2086 # a list of units, of which one is enough
    if [ -n "$2" ] && systemctl is-active --quiet $2; then
        systemctl start --no-block "${1##*/}"
    fi </dev/null >/dev/null 2>&1 8>&- 9>&-
    return 0
}

remove_guard() {
    for guard_path in "$1" "$units"/*.wants/"${1##*/}"; do
        if [ ! -e "$guard_path" ] && [ ! -L "$guard_path" ]; then continue; fi
        if [ "$guard_path" = "$1" ] && systemd_runs; then systemctl stop "${1##*/}" </dev/null >/dev/null 2>&1 8>&- 9>&-; fi
        rm -f "$guard_path"
        case $guard_path in *.wants/*) rmdir "${guard_path%/*}" 2>/dev/null ;; esac
        sync_changed=1
    done
}

# verb_guard WORD: runs as long as one of the others does. What loads ours again looks closely first: WORD is `boot`, or `hold`
# for emergencies.
verb_guard() {
    case $1 in
    boot) guard_script=$state/ringfence.sh ;;
    hold) guard_script=$state/emergency.sh ;;
    *) refuse verb "unknown word $1 of guard" ;;
    esac
    while sleep 1; do
        if "guard_$1"; then continue; fi
        /bin/sh "$guard_script" "$1" </dev/null || sleep 10
    done
}

# Whether the rules of the policy are entered, in both families of one variant, or there are none.
guard_boot() {
    if [ ! -e "$state/confirmed.nft" ]; then return 0; fi
    for guard_stem in $(stems); do
        if entered "$guard_stem" filter rf_in; then return 0; fi
    done
    return 1
}

guard_hold() {
    if ! emergency_stands || [ ! -e "$runs/emergency.iptables" ]; then return 0; fi
    entered iptables mangle rfe_in
}

# entered STEM TABLE CHAIN
entered() {
    "$1" -w -t "$2" -C INPUT -j "$3" && "ip6tables${1#iptables}" -w -t "$2" -C INPUT -j "$3"
} >/dev/null 2>&1
