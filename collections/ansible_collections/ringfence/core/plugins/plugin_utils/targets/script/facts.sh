# Facts: what a host without a Python for Ansible's modules says of itself, for labels, identity and addresses.

# fact NAME VALUE: one line; the controller takes no control characters.
fact() {
    if [ -z "$2" ]; then return 0; fi
    case $2 in *"
"*) return 0 ;; esac
    printf 'T %s %s\n' "$1" "$2"
}

# first_line FILE: sets fact_line.
first_line() {
    fact_line=
    if [ -r "$1" ]; then IFS= read -r fact_line <"$1"; fi 2>/dev/null
}

fact_of_file() {
    first_line "$2"
    fact "$1" "$fact_line"
}

# What /etc/os-release says, as text: it is never run.
facts_release() {
    for fact_file in /etc/os-release /usr/lib/os-release; do
        if [ -r "$fact_file" ]; then
            awk '
                {
                    at = index($0, "=")
                    if (!at) next
                    name = substr($0, 1, at - 1); value = substr($0, at + 1)
                    if (value ~ /^".*"$/ || value ~ /^\047.*\047$/) value = substr(value, 2, length(value) - 2)
                    if (name ~ /^(ID|ID_LIKE|NAME|VERSION_ID|VERSION_CODENAME)$/ && value != "") print "T os_" tolower(name) " " value
                }' "$fact_file"
            break
        fi
    done
    fact_of_file debian_version /etc/debian_version
    fact_of_file alpine_version /etc/alpine-release
}

# Interfaces: by /sys and /proc, and the IPv4 addresses by ip or ifconfig, as far as one of them is there.
facts_interfaces() {
    for fact_interface in /sys/class/net/*; do
        if [ ! -r "$fact_interface/type" ]; then continue; fi
        fact_name=${fact_interface##*/}
        first_line "$fact_interface/type"
        fact_type=$fact_line
        if [ -d "$fact_interface/bridge" ]; then fact_type=bridge; fi
        if [ -d "$fact_interface/bonding" ]; then fact_type=bonding; fi
        first_line "$fact_interface/address"
        printf 'I %s %s %s\n' "$fact_name" "$fact_type" "$fact_line"
    done
    awk '{ print "6 " $6 " " $1 }' /proc/net/if_inet6
    awk '$1 == "|--" { address = $2 } $1 == "/32" && $3 == "LOCAL" && !seen[address]++ { print "A " address }' /proc/net/fib_trie
    if have ip && fact_shown=$(ip -o -4 addr show 2>/dev/null) && [ -n "$fact_shown" ]; then
        printf '%s\n' "$fact_shown" | awk '{ split($2, name, "@"); split($4, address, "/"); print "4 " name[1] " " address[1] }'
    elif have ifconfig; then
        ifconfig -a | awk '
            /^[^ \t]/ { name = $1; sub(/:$/, "", name) }
            $1 == "inet" { address = $2; sub(/^addr:/, "", address); print "4 " name " " address }'
    fi
}

facts() {
    echo ringfence:begin facts
    fact_of_file nodename /proc/sys/kernel/hostname
    if have hostname; then fact fqdn "$(hostname -f 2>/dev/null)"; fi
    fact architecture "$(uname -m)"
    fact system "$(uname -s)"
    fact kernel "$(uname -r)"
    fact_of_file init /proc/1/comm
    for fact_name in product_uuid product_serial board_asset_tag sys_vendor product_name; do
        fact_of_file "$fact_name" "/sys/class/dmi/id/$fact_name"
    done
    facts_release
    facts_interfaces
    for fact_file in /etc/ansible/facts.d/*.fact; do
        if [ -e "$fact_file" ]; then fact local yes && break; fi
    done
    echo Z
    echo ringfence:end facts
}
