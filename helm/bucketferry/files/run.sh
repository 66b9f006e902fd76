# run.sh SECONDS PROGRAM ARGUMENT...: runs PROGRAM for a Job, whose only good exit code is 0. Exit 4
# ("another run of the task goes on") ends as 0, every other code as it is.
#
# Before it does, it looks a second time, SECONDS later: longer than the lease of a worker. A pod that was
# killed leaves a run that looks alive until its lease is over, and the pod that replaces it comes within
# seconds. Believing its first exit 4 would end the Job as complete with half a bucket copied, and nobody
# would come before the next tick of the schedule.
seconds=$1
shift
child= told= stopped= interrupted=
read -r shell </proc/self/comm

# The first process of a container gets no default action for signals: what is not passed on is lost, and
# with it the time to end what is in flight. Only once: a second signal ends the program at once.
tell() {
  [ -n "$child" ] && [ -n "$stopped" ] && [ -z "$told" ] || return 0
  told=yes
  # Until it has become the program, the child is a copy of this shell, which would swallow the signal.
  turns=0
  while read -r name <"/proc/$child/comm" && [ "$name" = "$shell" ] && [ "$turns" -lt 200 ]; do
    turns=$((turns + 1))
    sleep 0.01
  done 2>/dev/null
  kill -TERM "$child" 2>/dev/null || :
}
trap 'stopped=yes interrupted=yes; tell' TERM INT

# A signal ends `wait` early, so it waits again, for the real code. 127: that was told already.
during() {
  code=5
  [ -z "$stopped" ] || return 0
  "$@" &
  child=$!
  tell
  code=127
  while :; do
    interrupted=
    wait "$child"
    now=$?
    [ "$now" = 127 ] || code=$now
    [ -n "$interrupted" ] || break
  done
  child=
  # Told before it could listen.
  [ "$code" != 143 ] || [ -z "$stopped" ] || code=5
}

during "$@"
if [ "$code" = 4 ]; then
  [ -n "$stopped" ] ||
    printf '{"level":"info","message":"another run of the task goes on: looks again in %s s"}\n' \
      "$seconds" >&2
  while [ "$seconds" -gt 0 ] && [ -z "$stopped" ]; do
    seconds=$((seconds - 1))
    sleep 1
  done
  during "$@"
fi
[ "$code" != 4 ] || code=0
exit "$code"
