# Emergencies as chains of iptables, for a host that has no nft.

# emergency_iptables STEM FAMILY LABELLED PERMITTING: the same for a host without nft, as a transaction of the table mangle
# of one family, which is asked before filter: chains rfe_in, rfe_out and rfe_forward, and one for each host that is isolated
# and keeps something.
emergency_iptables() {
    emergency_there=$("$1-save" -t mangle 2>/dev/null) || return 1
    { printf '%s\n' "$emergency_there" | sed 's/^/+ /' && cat; } | awk -v family="$2" -v label="$emergency_label" \
        -v labelled="$3" -v permitting="$4" -v skew="$emergency_skew" "$emergency_parse"'
        function stop(e,    days, left, y, m, d, era, doe, yoe, doy, mp) {
            if (!ends[e]) return ""
            # days since the epoch as a date (Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days)
            # the second of --datestop is the last that matches
            # which is of the clock of this host
            left = ends[e] - 1 + skew
            days = int(left / 86400); left -= days * 86400
            days += 719468; era = int(days / 146097); doe = days - era * 146097
            yoe = int((doe - int(doe / 1460) + int(doe / 36524) - int(doe / 146096)) / 365)
            doy = doe - (365 * yoe + int(yoe / 4) - int(yoe / 100)); mp = int((5 * doy + 2) / 153)
            d = doy - int((153 * mp + 2) / 5) + 1; m = mp < 10 ? mp + 3 : mp - 9; y = yoe + era * 400 + (m <= 2)
            return sprintf(" -m time --datestop %04d-%02d-%02dT%02d:%02d:%02d", y, m, d, int(left / 3600), int(left % 3600 / 60), left % 60)
        }
        function rule(chain, text) {
            if (!(chain in rules)) { rules[chain] = ""; names[++chains] = chain }
            rules[chain] = rules[chain] "-A " chain " " text "\n"
        }
        function each(chain, before, list, after,    i, n, word) {
            n = split(list, word, ",")
            for (i = 1; i <= n; i++) rule(chain, before word[i] (word[i] ~ /\// ? "" : family == 4 ? "/32" : "/128") after)
        }
        function permit(g,    e, chain, back, near, far, remote, local, i, k, l, n, ports, module, asks, answers, place) {
            e = grant_of[g]; remote = split(of_family(grant_remote[g], family), far, ",")
            if (grant_local[g] == "any") { local = 1; near[1] = "" } else local = split(of_family(grant_local[g], family), near, ",")
            module = grant_protocol[g]
            if (module == (family == 4 ? 58 : 1)) return
            if (module == 6) module = "tcp"; else if (module == 17) module = "udp"; else if (module == 132) module = "sctp"
            else if (module == 1) module = "icmp"; else if (module == 58) module = "ipv6-icmp"
            n = split(grant_ports[g], ports, ",")
            chain = grant_way[g] == "in" ? "rfe_in" : "rfe_out"; back = chain == "rfe_in" ? "rfe_out" : "rfe_in"
            for (i = 1; i <= remote; i++) for (k = 1; k <= local; k++) for (l = 1; l <= n; l++) {
                asks = answers = module == "any" ? "" : " -p " module
                if (ports[l] != "any") {
                    sub(/-/, ":", ports[l])
                    if (module == "icmp") asks = asks " -m icmp --icmp-type " ports[l]
                    else if (module == "ipv6-icmp") asks = asks " -m icmp6 --icmpv6-type " ports[l]
                    else { asks = asks " -m " module " --dport " ports[l]; answers = answers " -m " module " --sport " ports[l] }
                }
                place = chain == "rfe_in" ? whole("-s ", far[i]) whole(" -d ", near[k]) : whole("-s ", near[k]) (near[k] == "" ? "" : " ") whole("-d ", far[i])
                rule(chain, place asks " -m conntrack --ctstate NEW" stop(e) " -m connlabel --label " label " --set -j RETURN")
                rule(chain, place asks stop(e) " -m connlabel --label " label " -j RETURN")
                place = chain == "rfe_in" ? whole("-s ", near[k]) (near[k] == "" ? "" : " ") whole("-d ", far[i]) : whole("-s ", far[i]) whole(" -d ", near[k])
                rule(back, place answers " -m conntrack --ctdir REPLY" stop(e) " -m connlabel --label " label " -j RETURN")
            }
        }
        function span(i) { return control_range[i] ~ /-/ ? control_range[i] : control_range[i] "-" control_range[i] }
        function whole(option, net) { return net == "" ? "" : option net (net ~ /\// ? "" : family == 4 ? "/32" : "/128") }
        # what stands
        $1 == "+" && $2 ~ /^:rfe_/ { old[++olds] = substr($2, 2); next }
        $1 == "+" && $2 == "-A" && $3 !~ /^rfe_/ && $NF ~ /^rfe_/ { gone = gone "-D " $3 " -j " $NF "\n"; next }
        END {
            if (entries || labelled) { rule("rfe_in", "-i lo -j RETURN"); rule("rfe_out", "-o lo -j RETURN") }
            if (cuts && family == 6) {
                n = split("133 hl255|135 hl255|136 hl255|134 hl255 link|137 hl255 link|130 hl1 link group|131 hl1 link group|132 hl1 link group|143 hl1 link group|131 hl1 none group|132 hl1 none group|143 hl1 none group", built, "|")
                for (i = 1; i <= n; i++) {
                    place = (built[i] ~ /link/ ? "-s fe80::/10 " : built[i] ~ /none/ ? "-s ::/128 " : "") (built[i] ~ /group/ ? "-d ff00::/8 " : "")
                    text = place "-p ipv6-icmp -m hl --hl-eq " (built[i] ~ /hl255/ ? 255 : 1) " -m icmp6 --icmpv6-type " substr(built[i], 1, 3) " -j RETURN"
                    rule("rfe_in", text); rule("rfe_out", text); rule("rfe_forward", text)
                }
            }
            for (e = 1; e <= entries; e++) if (cut = of_family(quarantined[e], family)) {
                each("rfe_in", "-s ", cut, stop(e) " -j DROP"); each("rfe_out", "-d ", cut, stop(e) " -j DROP")
                # Ansible reaches those behind this host: its answers leave, and all else that the isolated send is cut before
                for (i = 1; i <= controls; i++) if (control_family[i] == family)
                    each("rfe_forward", "-s ", cut, " -p tcp -m iprange --dst-range " span(i) " -m tcp --sport " control_port[i] " -m conntrack --ctdir REPLY -j RETURN")
                each("rfe_forward", "-s ", cut, stop(e) " -j DROP")
            }
            for (e = 1; e <= entries; e++) if (cut = of_family(quarantined[e], family)) {
                for (i = 1; i <= controls; i++) if (control_family[i] == family)
                    each("rfe_forward", "-d ", cut, " -p tcp -m iprange --src-range " span(i) " -m tcp --dport " control_port[i] " -j RETURN")
                each("rfe_forward", "-d ", cut, stop(e) " -j DROP")
            }
            for (i = 1; i <= controls && entries; i++) if (control_family[i] == family) {
                range = span(i)
                rule("rfe_in", "-p tcp -m iprange --src-range " range " -m tcp --dport " control_port[i] " -j RETURN")
                rule("rfe_out", "-p tcp -m iprange --dst-range " range " -m tcp --sport " control_port[i] " -j RETURN")
            }
            if (isolates && family == 6) {
                rule("rfe_in", "-s fe80::/10 -d fe80::/10 -p udp -m udp --sport 547 --dport 546 -j RETURN")
                rule("rfe_out", "-s fe80::/10 -d ff02::1:2/128 -p udp -m udp --sport 546 --dport 547 -j RETURN")
            } else if (isolates) {
                rule("rfe_in", "-p udp -m udp --sport 67 --dport 68 -j RETURN")
                rule("rfe_out", "-d 255.255.255.255/32 -p udp -m udp --sport 68 --dport 67 -j RETURN")
            }
            for (e = 1; e <= entries; e++) if (isolated[e]) {
                stays = of_family(kept[e], family)
                n = split("in out forward", way, " ")
                for (i = 1; i <= n; i++) {
                    chain = "rfe_k_" entry[e] "_" way[i]
                    if (stays != "") {
                        rule("rfe_" way[i], substr(stop(e) " -j " chain, 2))
                        if (way[i] != "out") each(chain, "-s ", stays, " -j RETURN")
                        if (way[i] != "in") each(chain, "-d ", stays, " -j RETURN")
                        rule(chain, "-j DROP")
                    } else rule("rfe_" way[i], substr(stop(e) " -j DROP", 2))
                }
            }
            if (permitting) for (g = 1; g <= grants; g++) permit(g)
            if (labelled) for (i = 1; i <= 2; i++)
                rule(i == 1 ? "rfe_in" : "rfe_out", "-m connlabel --label " label " -m conntrack ! --ctstate RELATED -j DROP")
            print "*mangle"
            for (i = 1; i <= olds; i++) print ":" old[i] " - [0:0]"
            for (i = 1; i <= chains; i++) print ":" names[i] " - [0:0]"
            printf "%s", gone
            for (i = 1; i <= chains; i++) printf "%s", rules[names[i]]
            if ("rfe_in" in rules) { print "-I INPUT 1 -j rfe_in"; print "-I OUTPUT 1 -j rfe_out" }
            if ("rfe_forward" in rules) print "-I FORWARD 1 -j rfe_forward"
            for (i = 1; i <= olds; i++) if (!(old[i] in rules)) print "-X " old[i]
            print "COMMIT"
        }'
}
