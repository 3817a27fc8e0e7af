# Packets between containers of one bridge: given to the tables where the ruleset asks for it, by its chain containers_bridged.
#
# $state/bridged      the switches as they were before, where Ringfence has turned them on

bridged_modules=/etc/modules-load.d/ringfence.conf
bridged_switches=/etc/sysctl.d/90-ringfence.conf

# Has the kernel's switches, and what sets them at boot, follow the table that the kernel has. Replies what became of it.
sync_bridged() {
    if have nft && nft list chain inet ringfence containers_bridged >/dev/null 2>&1; then
        bridge_packets
    elif [ -e "$state/bridged" ]; then
        leave_bridged
    fi
}

bridge_packets() {
    if [ ! -d /proc/sys/net/bridge ] && have modprobe; then modprobe br_netfilter 2>/dev/null; fi
    if [ ! -e "$state/bridged" ] && [ -d "$state" ]; then
        { bridged_values >"$state/bridged"; } 2>/dev/null
    fi
    for bridged_tool in iptables ip6tables; do
        { echo 1 >"/proc/sys/net/bridge/bridge-nf-call-$bridged_tool"; } 2>/dev/null
    done
    if [ "$(bridged_values)" = '1 1' ]; then
        reply process 'bridged packets: enforced'
    else
        reply process 'bridged packets: failed: this kernel has no br_netfilter, or does not let it be switched on'
    fi
}

# Others set these switches, too (libvirt's advice, files of sysctl.d that come later): what they switched off is told, and the unit
# that follows containers switches it on again.
status_bridged() {
    if [ "$(bridged_values)" = '1 1' ] || ! have nft || ! nft list chain inet ringfence containers_bridged >/dev/null 2>&1; then
        return 0
    fi
    reply damaged 'somebody switched off that bridged packets are judged (net.bridge.bridge-nf-call-iptables, -ip6tables)'
}

bridged_again() {
    if [ "$(bridged_values)" != '1 1' ]; then sync_bridged >/dev/null; fi
}

bridged_values() {
    printf '%s %s\n' "$(cat /proc/sys/net/bridge/bridge-nf-call-iptables 2>/dev/null)" \
        "$(cat /proc/sys/net/bridge/bridge-nf-call-ip6tables 2>/dev/null)"
}

# Called where persistence is written: the switches are on before Ringfence's unit runs, and when a bridge is made later.
keep_bridged() {
    if ! nft list chain inet ringfence containers_bridged >/dev/null 2>&1; then return 0; fi
    bridged_changed=$sync_changed
    sync_file "$bridged_modules" br_netfilter &&
        sync_file "$bridged_switches" 'net.bridge.bridge-nf-call-iptables = 1
net.bridge.bridge-nf-call-ip6tables = 1' || return 1
    sync_changed=$bridged_changed
}

# Puts the switches back to what they were, and takes our files away.
leave_bridged() {
    rm -f "$bridged_modules" "$bridged_switches"
    if [ -e "$state/bridged" ] && read -r bridged_four bridged_six <"$state/bridged"; then
        case $bridged_four in 0) echo 0 >/proc/sys/net/bridge/bridge-nf-call-iptables ;; esac
        case $bridged_six in 0) echo 0 >/proc/sys/net/bridge/bridge-nf-call-ip6tables ;; esac
    fi 2>/dev/null
    rm -f "$state/bridged"
}
