#!/bin/sh
# A line every two seconds, until it is told to stop.
trap 'echo "stopping"; exit 0' TERM INT
beat=0
while :; do
	beat=$((beat + 1))
	echo "beat $beat, load $(cut -d ' ' -f 1 /proc/loadavg)"
	sleep 2
done
