# One PostgreSQL server that tests stop, kill and promote: a command a line on stdin, an answer a line on stdout. Runs as
# another user than root, which PostgreSQL refuses. When stdin closes, that is when the tests' process is gone, the server
# is killed and its directory removed.
set -u
# What is killed here are processes, never the system under them, so that nothing need be synced; but what is answered has
# to be written before, so that commits are not asynchronous. A transaction whose log only waits to be written stays so.
settings="
listen_addresses = ''
fsync = off
full_page_writes = off
autovacuum = off
max_connections = 100
deadlock_timeout = 100ms
wal_writer_delay = 10s
wal_receiver_status_interval = 1s
"
directory=$(mktemp -d /tmp/usher-cluster-XXXXXX)
data=$directory/data
running=

complain() { cat "$directory/log" >&2 || true; }

create() {
    case $primary in
        '') initdb --pgdata "$data" --username usher --auth trust --no-sync --encoding UTF8 --locale C &&
            echo "$settings" >>"$data/postgresql.conf" ;;
        *) pg_basebackup --pgdata "$data" --dbname "host=$primary user=usher application_name=standby" \
            --checkpoint fast --wal-method stream --no-sync --write-recovery-conf ;;
    esac && echo "unix_socket_directories = '$directory'" >>"$data/postgresql.conf"
}

# How long PostgreSQL may take to start, to recover or to become the primary: it bounds a failure only.
export PGCTLTIMEOUT=600

# Whoever outlived a killed server for a moment keeps the next one from starting.
start() {
    tries=0
    until pg_ctl --pgdata "$data" --log "$directory/log" --wait start; do
        tries=$((tries + 1))
        if [ "$tries" -gt 50 ]; then return 1; fi
        sleep 0.1
    done
    running=yes
}

# SIGKILL to all of it at once: no process of it answers anybody any more.
crash() {
    server=$(head -n 1 "$data/postmaster.pid")
    kill -STOP "$server"
    children=$(grep -ls "^PPid:[[:space:]]*$server\$" /proc/[0-9]*/status | cut -d / -f 3)
    kill -KILL $children "$server"
    running=
}

trap '[ -z "$running" ] || crash; rm -rf "$directory"' EXIT
if create >"$directory/log" 2>&1 && start >"$directory/log" 2>&1 </dev/null; then echo "$directory"; else complain; exit 1; fi
while read -r command; do
    case $command in
        start | crash) "$command" ;;
        promote) pg_ctl --pgdata "$data" --wait promote ;;
    esac >>"$directory/log" 2>&1 </dev/null && echo done || { complain; exit 1; }
done
