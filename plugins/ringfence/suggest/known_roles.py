"""What names and ports commonly say of a host's role; an estate's own labels come before all of this."""

from __future__ import annotations

# Words of host names, by the role that they commonly mean.
ROLE_WORDS: dict[str, str] = {
    **dict.fromkeys(("web", "www", "nginx", "apache", "httpd", "frontend", "front"), "web"),
    **dict.fromkeys(("api", "rest", "graphql"), "api"),
    **dict.fromkeys(("app", "backend", "tomcat", "appserver"), "app"),
    **dict.fromkeys(("db", "sql", "database", "pg", "pgsql", "postgres", "postgresql"), "db"),
    **dict.fromkeys(("mysql", "mariadb", "mssql", "oracle", "mongo", "mongodb", "cassandra"), "db"),
    **dict.fromkeys(("cache", "redis", "memcache", "memcached", "valkey"), "cache"),
    **dict.fromkeys(("mq", "queue", "kafka", "rabbit", "rabbitmq", "nats", "activemq"), "queue"),
    **dict.fromkeys(("search", "elastic", "elasticsearch", "opensearch", "solr"), "search"),
    **dict.fromkeys(("lb", "haproxy", "proxy", "ingress", "traefik"), "proxy"),
    **dict.fromkeys(("dns", "ns", "resolver", "bind"), "dns"),
    **dict.fromkeys(("mail", "mx", "smtp", "imap", "postfix"), "mail"),
    **dict.fromkeys(("ldap", "dc", "ad", "kdc", "ipa"), "directory"),
    **dict.fromkeys(("mon", "monitoring", "prometheus", "prom", "grafana", "zabbix", "nagios"), "monitoring"),
    **dict.fromkeys(("log", "logs", "syslog", "loki", "graylog", "splunk"), "logging"),
    **dict.fromkeys(("jump", "bastion", "jumphost"), "bastion"),
    **dict.fromkeys(("vpn", "wg", "wireguard"), "vpn"),
    **dict.fromkeys(("ci", "jenkins", "runner", "build", "gitlab"), "ci"),
    **dict.fromkeys(("nfs", "file", "files", "smb", "nas", "minio"), "files"),
    **dict.fromkeys(("backup", "bacula", "veeam"), "backup"),
    **dict.fromkeys(("worker", "batch", "job", "jobs", "cron"), "worker"),
    **dict.fromkeys(("k8s", "kube", "node", "master", "control"), "cluster"),
}
# Ports of the IANA registry, and what listens on them by default, by the role of who serves them.
ROLE_PORTS: dict[str, str] = {
    **dict.fromkeys(("tcp/1433", "tcp/1521", "tcp/3306", "tcp/5432", "tcp/27017", "tcp/9042"), "db"),
    **dict.fromkeys(("tcp/6379", "tcp/11211"), "cache"),
    **dict.fromkeys(("tcp/5671", "tcp/5672", "tcp/9092", "tcp/4222", "tcp/61616"), "queue"),
    **dict.fromkeys(("tcp/9200", "tcp/8983"), "search"),
    **dict.fromkeys(("tcp/53", "udp/53"), "dns"),
    **dict.fromkeys(("tcp/143", "tcp/465", "tcp/587", "tcp/993"), "mail"),
    **dict.fromkeys(("tcp/88", "tcp/389", "tcp/636", "tcp/3268"), "directory"),
    **dict.fromkeys(("tcp/9090", "tcp/10051"), "monitoring"),
    **dict.fromkeys(("tcp/514", "udp/514", "tcp/3100"), "logging"),
    **dict.fromkeys(("udp/1194", "udp/51820", "udp/500"), "vpn"),
    **dict.fromkeys(("tcp/445", "tcp/2049"), "files"),
    **dict.fromkeys(("tcp/6443", "tcp/10250"), "cluster"),
    **dict.fromkeys(("tcp/80", "tcp/443"), "web"),
}
# What nearly every host listens on for its administration: it says nothing of a role.
EVERYWHERE_PORTS = frozenset({"tcp/22", "tcp/111", "udp/111", "tcp/3389", "tcp/5985", "tcp/5986", "udp/68", "udp/123"})
EVERYWHERE_PORTS |= {"udp/323", "udp/5353", "tcp/9100", "tcp/25", "udp/161"}
# Words of names that tell an environment or a kind of machine, and no application.
NO_APPS = frozenset(
    {"prod", "production", "prd", "dev", "test", "tst", "stage", "staging", "qa", "uat", "int", "preprod", "dr"}
    | {"vm", "srv", "server", "host", "node", "lx", "win", "linux", "windows", "ip", "ec2", "local", "localhost"}
)
