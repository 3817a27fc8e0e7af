# Persistence: a boot unit that loads the confirmed table before the network, and drop-ins that follow units.

units=/etc/systemd/system
boot_unit=$units/ringfence.service
dropin=90-ringfence.conf

# The distribution's nftables.service flushes everything when it starts, reloads and stops: it gets a drop-in that
# puts ours back each time (PartOf= would not: what is stopped with it is not started again).
sync_persistence() {
    if ! systemd_runs; then
        reply persistence "unavailable: this host has no systemd, so the table is gone after a reboot"
        return 0
    fi
    sync_changed=
    sync_file "$boot_unit" "[Unit]
Description=Ringfence: the confirmed table, before the network
DefaultDependencies=no
RequiresMountsFor=$state
ConditionPathExists=$state/confirmed.nft
After=nftables.service systemd-modules-load.service
Before=network-pre.target shutdown.target
Wants=network-pre.target
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh $state/ringfence.sh boot
ExecReload=/bin/sh $state/ringfence.sh boot

[Install]
WantedBy=sysinit.target" || return 1
    sync_file "$units/nftables.service.d/$dropin" "[Service]
ExecStartPost=-/bin/sh $state/ringfence.sh boot
ExecReload=-/bin/sh $state/ringfence.sh boot
ExecStopPost=-/bin/sh $state/ringfence.sh boot" || return 1
    if [ ! -L "$units/sysinit.target.wants/ringfence.service" ]; then
        make_directory "$units/sysinit.target.wants"
        ln -sf ../ringfence.service "$units/sysinit.target.wants/ringfence.service" || return 1
        sync_changed=1
    fi
    sync_boot=$sync_changed
    sync_changed=
    sync_dropins "$1" || return 1
    sync_answers "$1" || return 1
    if [ -n "$sync_changed" ] && [ -n "$1" ]; then
        # units may restart at any moment: their drop-ins are in force before their elements are filled in again
        systemctl daemon-reload
    elif [ -n "$sync_changed" ] || { [ -n "$sync_boot" ] && boot_units_loaded; }; then
        systemctl daemon-reload </dev/null >/dev/null 2>&1 9>&- &
    fi
    sync_changed=$sync_changed$sync_boot
    if has_names "$1"; then systemctl start --no-block "${answer_timer##*/}" </dev/null >/dev/null 2>&1 9>&-; fi
    return 0
}

# To read all units again costs more than all else, and what systemd has not loaded it reads when it is asked for.
boot_units_loaded() {
    boot_loaded=$(systemctl list-units --all --plain --no-legend --no-pager ringfence.service nftables.service 2>/dev/null) ||
        return 0
    [ -n "$boot_loaded" ]
}

make_directory() {
    if [ -d "$1" ]; then return 0; fi
    umask 022
    mkdir -p "$1"
    umask 077
}

# sync_file FILE TEXT: writes it whole where it differs, and notes that systemd must read again.
sync_file() {
    if [ -r "$1" ]; then
        sync_held=
        while IFS= read -r sync_line; do
            sync_held="$sync_held$sync_line
"
        done <"$1"
        if [ "$sync_held" = "$2
" ]; then return 0; fi
    fi
    make_directory "${1%/*}"
    umask 022
    if [ -e "$1" ] || [ -L "$1" ]; then
        printf '%s\n' "$2" >"$1.ringfence" && mv -f "$1.ringfence" "$1"
    else
        printf '%s\n' "$2" >"$1"
    fi || {
        umask 077
        return 1
    }
    umask 077
    sync_changed=1
}

# A drop-in for every unit of the process lines $1, and none for any other. One nft command an element, so that one
# that fails takes no other with it; with `-`, so that a missing table never stops a service.
sync_dropins() {
    sync_keep=" nftables.service "
    if [ -n "$1" ]; then unit_elements "$1" >"$work/elements"; else : >"$work/elements"; fi
    sync_units=
    if [ -s "$work/elements" ]; then
        sync_units=$(awk '{ name = $5 == "" ? $1 : $5; if (!seen[name]++) print name }' "$work/elements")
    fi
    for sync_unit in $sync_units; do
        sync_keep="$sync_keep$sync_unit "
        # in a line that systemd runs, systemd.service(5), "Command lines": quotes, C escapes, specifiers and variables
        sync_text=$(unit=$sync_unit nft=$(command -v nft) awk '
            function quoted(text,    i, sign, out) {
                for (i = 1; i <= length(text); i++) {
                    sign = substr(text, i, 1)
                    out = out sign (index("\\%$", sign) ? sign : "")
                }
                return out
            }
            ($5 == "" ? $1 : $5) == ENVIRON["unit"] {
                path = quoted($4)
                element = "element inet ringfence " $2 " { \"" path "\" : goto " $3 " }"
                start = start "ExecStartPre=-+" ENVIRON["nft"] " \047add " element "\047\n"
                stop = stop "ExecStopPost=-+" ENVIRON["nft"] " \047delete " element "\047\n"
            }
            END { printf "%s%s", start, stop }' "$work/elements")
        case $sync_unit in *.socket) sync_section=Socket ;; *) sync_section=Service ;; esac
        sync_file "$units/$sync_unit.d/$dropin" "[$sync_section]
$sync_text" || return 1
    done
    for sync_path in "$units"/*.d/"$dropin"; do
        sync_unit=${sync_path%.d/"$dropin"}
        sync_unit=${sync_unit##*/}
        case $sync_keep in *" $sync_unit "*) continue ;; esac
        if [ -e "$sync_path" ]; then
            rm -f "$sync_path" && rmdir "${sync_path%/*}" 2>/dev/null
            sync_changed=1
        fi
    done
}

remove_persistence() {
    sync_changed=
    if [ -e "$boot_unit" ] && systemd_runs; then systemctl stop ringfence.service 2>/dev/null; fi
    remove_answers
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
