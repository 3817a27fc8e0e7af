# Persistence: a boot unit that loads the confirmed table before the network, and drop-ins that follow units.

units=/etc/systemd/system
boot_unit=$units/ringfence.service
dropin=90-ringfence.conf

# The distribution's own service ($flushers) flushes everything when it starts, reloads and stops: it gets a drop-in that
# puts ours back each time (PartOf= would not: what is stopped with it is not started again). The boot unit asks the kernel itself
# at its end: a script that was lost or cut short on the disk may end well without having done anything. Where one was
# killed, another leads on: it may have left half a table.
sync_persistence() {
    if ! systemd_runs; then
        reply persistence "unavailable: this host has no systemd, so the table is gone after a reboot"
        return 0
    fi
    sync_changed=
    sync_guard "$guard_unit" 'ringfence.sh guard boot' "$wipers" || return 1
    sync_guarded=$sync_changed
    sync_changed=
    sync_file "$boot_unit" "$(boot_unit_text)" || return 1
    sync_flusher || return 1
    sync_wanted sysinit.target ringfence.service || return 1
    sync_boot=$sync_changed
    sync_changed=
    sync_dropins "$1" || return 1
    sync_answers "$1" || return 1
    sync_containers "$1" || return 1
    keep_bridged || return 1
    if [ -n "$sync_guarded" ] || { [ -n "$sync_changed" ] && [ -n "$1" ]; }; then
        # units may restart at any moment: their drop-ins are in force before their elements are filled in again
        systemctl daemon-reload
    elif [ -n "$sync_changed" ] || { [ -n "$sync_boot" ] && boot_units_loaded; }; then
        systemctl daemon-reload </dev/null >/dev/null 2>&1 9>&- &
    fi
    sync_changed=$sync_changed$sync_boot$sync_guarded
    start_guard "$guard_unit" "$wipers"
    if has_names "$1"; then systemctl start --no-block "${answer_timer##*/}" </dev/null >/dev/null 2>&1 9>&-; fi
    return 0
}

# What gets its network from outside, as a container does, has no service that wants network.target, and services behind a
# target that nobody wants do not wait for what is before it: so the boot unit wants it, and they start behind the table.
boot_unit_text() {
    printf '%s\n' "[Unit]
Description=Ringfence: the confirmed table, before the network
DefaultDependencies=no
RequiresMountsFor=$state
After=$flushers systemd-modules-load.service
Before=network-pre.target network.target shutdown.target
Wants=network-pre.target network.target
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=-/bin/sh $state/ringfence.sh boot
ExecStart=/bin/sh $state/ringfence.sh boot
ExecStartPost=$(boot_check)
ExecReload=/bin/sh $state/ringfence.sh boot

[Install]
WantedBy=sysinit.target"
}

sync_flusher() {
    for sync_unit in $flushers; do
        sync_file "$units/$sync_unit.d/$dropin" "[Service]
ExecStartPost=-/bin/sh $state/ringfence.sh boot
ExecReload=-/bin/sh $state/ringfence.sh boot
ExecStopPost=-/bin/sh $state/ringfence.sh boot" || return 1
    done
    wiper_dropins "$dropin" 'ringfence.sh boot' "$wipers"
}

# Replies what of all this is not there, or not whole: nothing is written. Of a host that another release of Ringfence wrote
# on, as its script tells, the words of its files differ anyway.
tell_persistence() {
    if [ ! -e "$boot_unit" ]; then
        reply damaged 'the boot unit is gone'
    elif [ "$(tail -n 1 "$boot_unit")" != WantedBy=sysinit.target ]; then
        reply damaged 'the boot unit is not whole'
    elif [ ! -L "$units/sysinit.target.wants/ringfence.service" ]; then
        reply damaged 'the boot unit is not enabled'
    fi
    if ! is_script "$state/ringfence.sh"; then
        reply damaged "$state/ringfence.sh is gone or not whole: nothing loads the table at boot"
    fi
    sync_only_tell=damaged
    # what another release wrote has its words: that is no damage, and nobody can say that it is whole
    if is_script "$state/ringfence.sh" && ! printf '%s\n' "$ringfence_script" | cmp -s - "$state/ringfence.sh"; then
        sync_only_tell=older
    fi
    sync_flusher
    sync_guard "$guard_unit" 'ringfence.sh guard boot' "$wipers"
    sync_dropins "$1" || reply unknown 'systemd does not answer, so nothing is known of the drop-ins of units'
    sync_only_tell=
}

# To read all units again costs more than all else, and what systemd has not loaded it reads when it is asked for.
boot_units_loaded() {
    # shellcheck disable=SC2086 # a list of units
    boot_loaded=$(systemctl list-units --all --plain --no-legend --no-pager ringfence.service $flushers 2>/dev/null) ||
        return 0
    [ -n "$boot_loaded" ]
}

make_directory() {
    if [ -d "$1" ]; then return 0; fi
    umask 022
    mkdir -p "$1"
    umask 077
}

# Has a target want a unit.
sync_wanted() {
    if [ -L "$units/$1.wants/$2" ]; then return 0; fi
    make_directory "$units/$1.wants"
    ln -sf "../$2" "$units/$1.wants/$2" || return 1
    sync_changed=1
}

# sync_file FILE TEXT: writes it whole where it differs, and notes that systemd must read again. With sync_only_tell
# nothing is written: what differs is replied by that word.
sync_file() {
    if holds "$1" "$2"; then return 0; fi
    if [ -n "$sync_only_tell" ]; then
        if [ -e "$1" ]; then reply "$sync_only_tell" "$1 is not as it was written"; else reply "$sync_only_tell" "$1 is gone"; fi
        return 0
    fi
    make_directory "${1%/*}"
    umask 022
    { printf '%s\n' "$2" >"$1.ringfence"; } 2>/dev/null && holds "$1.ringfence" "$2" && mv -f "$1.ringfence" "$1" 2>/dev/null || {
        rm -f "$1.ringfence" 2>/dev/null
        umask 077
        return 1
    }
    umask 077
    sync_changed=1
}
sync_only_tell=

# A drop-in for every unit of the process lines $1, and none for any other. One command an element, so that one
# that fails takes no other with it; with `-`, so that a missing table never stops a service. Fails without a change where
# the units cannot be known.
sync_dropins() {
    sync_keep=" $flushers $wipers "
    sync_elements=
    if [ -n "$1" ]; then sync_elements=$(unit_elements "$1") || return 1; fi
    sync_units=
    if [ -n "$sync_elements" ]; then
        sync_units=$(printf '%s\n' "$sync_elements" | awk '{ name = $5 == "" ? $1 : $5; if (!seen[name]++) print name }') || return 1
    fi
    for sync_unit in $sync_units; do
        sync_keep="$sync_keep$sync_unit "
        sync_text=$(printf '%s\n' "$sync_elements" | dropin_lines "$sync_unit") || return 1
        case $sync_unit in *.socket) sync_section=Socket ;; *) sync_section=Service ;; esac
        sync_file "$units/$sync_unit.d/$dropin" "[$sync_section]
$sync_text" || return 1
    done
    for sync_path in "$units"/*.d/"$dropin"; do
        sync_unit=${sync_path%.d/"$dropin"}
        sync_unit=${sync_unit##*/}
        case $sync_keep in *" $sync_unit "*) continue ;; esac
        if [ -e "$sync_path" ] && [ -n "$sync_only_tell" ]; then
            reply "$sync_only_tell" "$sync_path belongs to no unit of the plan"
        elif [ -e "$sync_path" ]; then
            rm -f "$sync_path" && rmdir "${sync_path%/*}" 2>/dev/null
            sync_changed=1
        fi
    done
}

remove_persistence() {
    sync_changed=
    if [ -e "$boot_unit" ] && systemd_runs; then systemctl stop ringfence.service 2>/dev/null; fi
    remove_answers
    remove_containers
    remove_guard "$guard_unit"
    if [ -e "$state/bridged" ]; then leave_bridged; fi
    for sync_path in "$units"/*.d/"$dropin" "$boot_unit" "$units/sysinit.target.wants/ringfence.service"; do
        if [ ! -e "$sync_path" ] && [ ! -L "$sync_path" ]; then continue; fi
        rm -f "$sync_path"
        case $sync_path in *.d/"$dropin") rmdir "${sync_path%/*}" 2>/dev/null ;; esac
        sync_changed=1
    done
    if [ -n "$sync_changed" ] && systemd_runs; then systemctl daemon-reload; fi
    if systemd_runs; then systemctl reset-failed ringfence.service 2>/dev/null; fi
    return 0
}
