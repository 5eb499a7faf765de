#!/bin/sh
# Answers requests on the channel, where any language reads and writes a JSON value a line.
send() { printf '%s\n' "$1" >&"$THRUM_CHANNEL_FD"; }

send '"ready"'
while read -r message <&"$THRUM_CHANNEL_FD"; do
	id=$(printf '%s' "$message" | sed -n 's/.*"requestId":\([0-9][0-9]*\|"[^"\\]*"\).*/\1/p')
	case $message in
	'"shutdown"') break ;;
	*'"cmd":"load"'*) send "{\"requestId\":$id,\"result\":$(cut -d ' ' -f 1 /proc/loadavg)}" ;;
	*) [ -z "$id" ] || send "{\"requestId\":$id,\"error\":\"unknown command\"}" ;;
	esac
done
echo "ending"
