#!/usr/bin/env bash
# What is to work on a machine where the Debian packages were just installed; scripts/try-package runs it on one.
set -euo pipefail
# Below, no `grep -q` at a pipe's end: it leaves at the first match, and the writer's SIGPIPE is then a failure of the pipe.
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 HOME=/root

ok() { echo "ok $1"; }
fail() {
	echo "not ok $1" >&2
	exit 1
}

# until_seen TEXT: in the terminal, within 20 seconds
until_seen() {
	for _ in $(seq 200); do
		tmux capture-pane -p | grep -F -- "$1" >/dev/null && return
		sleep 0.1
	done
	tmux capture-pane -p >&2
	fail "'$1' is not seen"
}

packages=$(ls /root/*.deb | grep -v dbgsym)
apt-get install -y --no-install-recommends $packages >/root/apt.log 2>&1 || {
	cat /root/apt.log >&2
	fail "it is installed"
}
[ -z "$(dpkg --verify thrum libthrum0 libthrum-dev)" ] || fail "its files are as they were packed"
[ "$(thrum version)" = "thrum $(dpkg-query -W -f '${Version}' thrum)" ] || fail "its version"
thrum doctor >/root/doctor || { cat /root/doctor; fail "it works here"; }
ok "it is installed on a bare machine"

# As a user without rights, in a folder of his own
useradd -m somebody
mkdir /home/somebody/shop && cd /home/somebody/shop
cat >thrum.yaml <<'YAML'
name: shop
processes:
  tick: {command: "sh -c 'while echo tick; do sleep 1; done'"}
YAML
chown -R somebody /home/somebody
tmux new-session -d -x 100 -y 30 'exec su - somebody -c "cd shop && thrum; echo LEFT \$?; exec sleep 100"'
until_seen "tick"
until_seen "running"
tmux send-keys q
until_seen "Stop all"
tmux send-keys s
until_seen "LEFT 0"
tmux kill-server
ok "thrum starts, shows its dashboard, and stops what it started"

for page in thrum "5 thrum.yaml" "7 thrum-protocol" "3 thrum"; do
	MANWIDTH=100 man --warnings=all $page >/root/page 2>/root/warnings || fail "man $page"
	[ ! -s /root/warnings ] || { cat /root/warnings; fail "man $page: without a warning"; }
	[ "$(wc -l </root/page)" -gt 100 ] || fail "man $page: is told"
	[ "$(wc -L </root/page)" -le 110 ] || fail "man $page: fits"
done
ok "the manuals are read"

bash -c '. /usr/share/bash-completion/bash_completion; _completion_loader thrum; complete -p thrum' | grep _thrum >/dev/null || fail "bash completes"
zsh -fc 'autoload -U compinit && compinit -u -D && print $_comps[thrum]' | grep -x _thrum >/dev/null || fail "zsh completes"
fish -c 'complete -C "thrum rel"' | grep ^reload >/dev/null || fail "fish completes"
ok "shells complete its commands"

[ -s /usr/share/thrum/thrum.schema.json ] && [ -s /usr/share/thrum/grafana.json ] || fail "the schema and the dashboard for Grafana"
ldconfig -p | grep libthrum.so.0 >/dev/null || fail "the library is found"
[ -e /usr/include/thrum.h ] || fail "and its header"
apt-get purge -y thrum libthrum0 libthrum-dev >/root/apt.log 2>&1 || fail "it is removed"
left=$(find / -xdev -path /proc -prune -o -path /root -prune -o -path /home -prune -o -path /var/lib/dpkg -prune -o -path /var/log -prune -o \
	-name '*thrum*' ! -path '/tmp/thrum-*' ! -path '/var/cache/*' -print 2>/dev/null)
[ -z "$left" ] || { echo "$left"; fail "nothing is left of it"; }
ok "it goes without a trace"
