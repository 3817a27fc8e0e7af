# Emergencies as a table of nft, and what every tool reads of the kept lines.

# What the awk programs of both tools know of the kept lines; the tools say what a rule looks like.
# shellcheck disable=SC2016 # awk's own variables
emergency_parse='
    function hex_text(family, digits,    i, out) {
        if (family == 4) {
            for (i = 1; i < 8; i += 2) out = out (i > 1 ? "." : "") number(substr(digits, i, 2))
            return out
        }
        for (i = 1; i < 32; i += 4) out = out (i > 1 ? ":" : "") tolower(substr(digits, i, 4))
        return out
    }
    function number(hex,    i, n) {
        for (i = 1; i <= length(hex); i++) n = n * 16 + index("0123456789ABCDEF", substr(hex, i, 1)) - 1
        return n + 0
    }
    # the networks of a family among words from a place on, with commas
    function of_family(list, family,    i, n, word, out) {
        n = split(list, word, /[ ,]/)
        for (i = 1; i <= n; i++)
            if (word[i] != "" && (word[i] ~ /:/ ? 6 : 4) == family) out = out (out == "" ? "" : ",") word[i]
        return out
    }
    function rest(from,    i, out) {
        for (i = from; i <= NF; i++) out = out (i > from ? "," : "") $i
        return out
    }
    $1 == "control" {
        for (i = 2; i < NF; i++) if (!(($i, $NF) in seen)) {
            seen[$i, $NF] = 1
            split($i, part, "-")
            control_family[++controls] = part[1]
            control_range[controls] = hex_text(part[1], part[2]) "-" hex_text(part[1], part[3])
            if (part[2] == part[3]) control_range[controls] = hex_text(part[1], part[2])
            control_port[controls] = $NF
        }
    }
    $1 == "emergency" {
        entry[++entries] = substr($2, 3); kind[entries] = $3; since[entries] = $4; ends[entries] = $5
        if ($3 == "permission") permits = 1; else cuts = 1
    }
    # addresses and networks of a list, without the names of containers in it, or the addresses of these alone
    function networks(list) { return several_of(list, 0) }
    function held(list) { return several_of(list, 1) }
    function several_of(list, named,    i, j, n, word, out, seen, m, one) {
        n = split(list, word, ",")
        for (i = 1; i <= n; i++) {
            m = word[i] ~ /^@/ ? (named ? split(container[entries, substr(word[i], 2)], one, ",") : 0) : named ? 0 : 1
            if (m && !named) one[1] = word[i]
            for (j = 1; j <= m; j++) if (!seen[one[j]]++) out = out (out == "" ? "" : ",") one[j]
        }
        return out
    }
    $1 == "element" && $2 == "container" { container[entries, $3] = rest(4) }
    $1 == "element" && $2 == "isolated" && $3 == "all" { isolated[entries] = 1; isolates = 1 }
    $1 == "element" && $2 == "isolated" && $3 != "all" { inside[entries] = held(rest(3)) }
    $1 == "element" && $2 == "quarantined" { quarantined[entries] = rest(3) }
    $1 == "element" && $2 == "kept" { kept[entries] = networks(rest(3)); kept_inside[entries] = held(rest(3)) }
    $1 == "element" && $2 == "permitted" {
        grant_of[++grants] = entries; grant_number[grants] = ++granted[entries]
        grant_way[grants] = $3; grant_protocol[grants] = $4; grant_ports[grants] = $5
        grant_local[grants] = $6 ~ /^@/ ? held($6) : $6
        grant_remote[grants] = $7 ~ /^@/ ? held(rest(7)) : rest(7)
    }
'

# emergency_nft LABELLED PERMITTING: prints the commands of nft that put the table of the lines of standard input in place of what stands, in one
# transaction (LABELLED: connections may bear our label; PERMITTING: permissions are put in). An entry has sets of its own, so what ends with one is exactly what no other holds.
emergency_nft() {
    awk -v now="$emergency_now" -v label="$emergency_label" -v labelled="$1" -v permitting="$2" "$emergency_parse"'
        function set(name, family, list, e,    n, word, i, left, out) {
            if (list == "") return
            left = ends[e] == 0 ? 0 : ends[e] - now
            # a clock that was set back makes nothing last longer than it was given for
            if (ends[e] && left > ends[e] - since[e]) left = ends[e] - since[e]
            left = sprintf("%.0f", left > 2592000 ? 2592000 : left < 1 ? 1 : left)
            n = split(list, word, ",")
            for (i = 1; i <= n; i++) out = out (i > 1 ? ", " : "") word[i] (ends[e] ? " timeout " left "s" : "")
            print "\tset " name " {\n\t\ttype ipv" family "_addr\n\t\tflags interval,timeout\n\t\telements = { " out " }\n\t}"
        }
        function several(list) { return list ~ /,/ ? "{ " listed(list) " }" : list }
        function listed(list) { gsub(/,/, ", ", list); return list }
        # what a host needs to find its neighbours, and where a bridge shows it what passes, what those behind it need
        function built_in(    i, n, built) {
            n = split("ip6 hoplimit 255 icmpv6 type { 133, 135, 136 } accept|ip6 hoplimit 255 ip6 saddr fe80::/10 icmpv6 type { 134, 137 } accept|ip6 hoplimit 1 ip6 saddr fe80::/10 ip6 daddr ff00::/8 icmpv6 type { 130, 131, 132, 143 } accept|ip6 hoplimit 1 ip6 saddr :: ip6 daddr ff00::/8 icmpv6 type { 131, 132, 143 } accept", built, "|")
            for (i = 1; i <= n; i++) { rule("input", built[i]); rule("output", built[i]); rule("forward", built[i]) }
        }
        # far and near: what leaves out who is kept, as sender and as receiver
        function but_kept(e, family) {
            far = near = ""
            leave_out("k_" entry[e] "_" family, family, of_family(kept[e], family), e)
            leave_out("h_" entry[e] "_" family, family, of_family(kept_inside[e], family), e)
        }
        function leave_out(name, family, list, e) {
            if (list == "") return
            if (!made[name]++) set(name, family, list, e)
            far = far ip(family) " saddr != @" name " "; near = near ip(family) " daddr != @" name " "
        }
        function rule(chain, text) { rules[chain] = rules[chain] "\t\t" text "\n" }
        function ip(family) { return family == 4 ? "ip" : "ip6" }
        function permit(g, family,    e, name, remote, far, near, chain, back, local, asks, answers, module, head, turned) {
            e = grant_of[g]
            remote = of_family(grant_remote[g], family)
            local = grant_local[g] == "any" ? "" : of_family(grant_local[g], family)
            if (remote == "" || (grant_local[g] != "any" && local == "")) return
            if (grant_protocol[g] == (family == 4 ? 58 : 1)) return
            name = "p_" entry[e] "_" grant_number[g] "_" family
            set(name, family, remote, e)
            chain = grant_way[g] == "in" ? "input" : "output"; back = chain == "input" ? "output" : "input"
            if (grant_way[g] ~ /^(to|from)$/) chain = back = "forward"
            far = grant_way[g] ~ /^(in|to)$/ ? "saddr" : "daddr"; near = far == "saddr" ? "daddr" : "saddr"
            head = ip(family) " " far " @" name (local == "" ? "" : " " ip(family) " " near " " several(local))
            turned = ip(family) " " near " @" name (local == "" ? "" : " " ip(family) " " far " " several(local))
            module = grant_protocol[g]
            if (grant_ports[g] == "any") asks = answers = module == "any" ? "" : " meta l4proto " module
            else if (module == 1) { asks = " icmp type " several(grant_ports[g]); answers = " meta l4proto 1" }
            else if (module == 58) { asks = " icmpv6 type " several(grant_ports[g]); answers = " meta l4proto 58" }
            else {
                module = module == 6 ? "tcp" : module == 17 ? "udp" : "sctp"
                asks = " " module " dport " several(grant_ports[g]); answers = " " module " sport " several(grant_ports[g])
            }
            rule(chain, head asks " ct state new ct label set " label)
            rule(chain, head asks " ct label " label " accept")
            rule(back, turned answers " ct direction reply ct label " label " accept")
        }
        END {
            print "table inet ringfence_emergency {}\ndelete table inet ringfence_emergency"
            if (!entries && !labelled) exit
            print "table inet ringfence_emergency {"
            rule("input", "iifname \"lo\" accept"); rule("output", "oifname \"lo\" accept")
            if (cuts) built_in()
            for (e = 1; e <= entries; e++) for (family = 4; family <= 6; family += 2) if (cut = of_family(quarantined[e], family)) {
                name = "q_" entry[e] "_" family
                set(name, family, cut, e)
                rule("input", ip(family) " saddr @" name " drop"); rule("output", ip(family) " daddr @" name " drop")
                but_kept(e, family)
                # Ansible reaches those behind this host: its answers leave, and all else that the isolated send is cut before
                for (i = 1; i <= controls; i++) if (control_family[i] == family)
                    rule("forward", ip(family) " saddr @" name " " ip(family) " daddr " control_range[i] " tcp sport " control_port[i] " ct direction reply accept")
                rule("forward", near ip(family) " saddr @" name " drop")
            }
            for (e = 1; e <= entries; e++) for (family = 4; family <= 6; family += 2) if (of_family(quarantined[e], family)) {
                name = "q_" entry[e] "_" family
                but_kept(e, family)
                for (i = 1; i <= controls; i++) if (control_family[i] == family)
                    rule("forward", ip(family) " saddr " control_range[i] " " ip(family) " daddr @" name " tcp dport " control_port[i] " accept")
                rule("forward", far ip(family) " daddr @" name " drop")
            }
            for (i = 1; i <= controls; i++) {
                rule("input", ip(control_family[i]) " saddr " control_range[i] " tcp dport " control_port[i] " accept")
                rule("output", ip(control_family[i]) " daddr " control_range[i] " tcp sport " control_port[i] " accept")
            }
            if (isolates) {
                rule("input", "meta nfproto ipv4 udp sport 67 udp dport 68 accept")
                rule("input", "ip6 saddr fe80::/10 ip6 daddr fe80::/10 udp sport 547 udp dport 546 accept")
                rule("output", "ip daddr 255.255.255.255 udp sport 68 udp dport 67 accept")
                rule("output", "ip6 saddr fe80::/10 ip6 daddr ff02::1:2 udp sport 546 udp dport 547 accept")
            }
            for (e = 1; e <= entries; e++) if (isolated[e]) for (family = 4; family <= 6; family += 2) {
                name = "i_" entry[e] "_" family
                set(name, family, family == 4 ? "0.0.0.0/1,128.0.0.0/1" : "::/1,8000::/1", e)
                but_kept(e, family)
                rule("input", far ip(family) " saddr @" name " drop")
                rule("output", near ip(family) " daddr @" name " drop")
                rule("forward", far near ip(family) " saddr @" name " drop")
            }
            for (e = 1; e <= entries; e++) for (family = 4; family <= 6; family += 2) if (cut = of_family(inside[e], family)) {
                name = "c_" entry[e] "_" family
                set(name, family, cut, e)
                but_kept(e, family)
                rule("input", near ip(family) " saddr @" name " drop"); rule("output", far ip(family) " daddr @" name " drop")
                rule("forward", near ip(family) " saddr @" name " drop"); rule("forward", far ip(family) " daddr @" name " drop")
            }
            if (permitting) for (g = 1; g <= grants; g++) { permit(g, 4); permit(g, 6) }
            n = split("input output forward", chain, " ")
            if (labelled) for (i = 1; i <= n; i++) rule(chain[i], "ct label " label " ct state != related drop")
            for (i = 1; i <= n; i++)
                printf "\tchain %s {\n\t\ttype filter hook %s priority -20; policy accept;\n%s\t}\n", chain[i], chain[i], rules[chain[i]]
            print "}"
        }'
}
