#!/bin/sh
# Hard to stop: ignores SIGTERM, as do its children (they inherit that), and
# one of them leaves the session, so that a signal to the group misses it.
trap '' TERM
sleep 86400 &
setsid sh -c 'sleep 86400 & sleep 86400' &
echo "started with pid $$; SIGTERM means nothing here"
while :; do
	sleep 5
	echo "still here"
done
