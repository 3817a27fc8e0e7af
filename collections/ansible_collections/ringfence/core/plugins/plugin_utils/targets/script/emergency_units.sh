# The units that bring emergencies back.

emergency_unit=ringfence-emergency.service
emergency_dropin=91-ringfence-emergency.conf

# What comes back at boot, and after the distribution's own firewall service flushed all; the policy's own unit is not asked.
persist_emergency() {
    if ! systemd_runs; then
        if [ -n "$1" ]; then reply persistence "this host has no systemd, so a reboot ends this here"; fi
        return 0
    fi
    sync_changed=
    emergency_wipers=
    if [ -n "$1" ] && [ -e "$runs/emergency.iptables" ]; then emergency_wipers=$iptables_wipers; fi
    sync_guard "$emergency_guard_unit" 'emergency.sh guard hold' "$emergency_wipers" || return 1
    sync_emergency_containers "$1" || return 1
    if [ -z "$1" ]; then
        # else systemd would go on knowing it
        if [ -e "$units/$emergency_unit" ]; then systemctl stop "$emergency_unit" </dev/null >/dev/null 2>&1 8>&- 9>&-; fi
        for sync_path in "$units/$emergency_unit" "$units/sysinit.target.wants/$emergency_unit" "$units"/*.d/"$emergency_dropin"; do
            if [ ! -e "$sync_path" ] && [ ! -L "$sync_path" ]; then continue; fi
            rm -f "$sync_path"
            case $sync_path in *.d/"$emergency_dropin") rmdir "${sync_path%/*}" 2>/dev/null ;; esac
            sync_changed=1
        done
        rm -rf "$state/emergency.sh"
    else
        if ! is_plain "$state/emergency.sh" || ! printf '%s\n' "$ringfence_script" | cmp -s - "$state/emergency.sh"; then
            keep_text "$state/emergency.sh" "$ringfence_script" || return 1
        fi
        sync_file "$units/$emergency_unit" "[Unit]
Description=Ringfence: what this host is cut off from, before the network
DefaultDependencies=no
RequiresMountsFor=$state
After=$emergency_flushers ringfence.service systemd-modules-load.service
Before=network-pre.target shutdown.target
Wants=network-pre.target
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh $state/emergency.sh hold

[Install]
WantedBy=sysinit.target" || return 1
        for sync_unit in $emergency_flushers; do
            sync_file "$units/$sync_unit.d/$emergency_dropin" "[Service]
ExecStartPost=-/bin/sh $state/emergency.sh hold
ExecReload=-/bin/sh $state/emergency.sh hold
ExecStopPost=-/bin/sh $state/emergency.sh hold" || return 1
        done
        wiper_dropins "$emergency_dropin" 'emergency.sh hold' "$emergency_wipers" || return 1
        sync_wanted sysinit.target "$emergency_unit" || return 1
    fi
    if [ -n "$sync_changed$emergency_wipers" ]; then
        {
            systemctl daemon-reload
            start_guard "$emergency_guard_unit" "$emergency_wipers"
        } </dev/null >/dev/null 2>&1 8>&- 9>&- &
    fi
    follow_emergency "$1"
    return 0
}
emergency_flushers='nftables.service netfilter-persistent.service iptables.service ip6tables.service'
