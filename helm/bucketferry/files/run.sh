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

# The first process of a container gets no default action for signals: what is not passed on is lost, and
# with it the time to end what is in flight. Only once: a second signal ends the program at once.
tell() {
  [ -n "$child" ] && [ -n "$stopped" ] && [ -z "$told" ] || return 0
  told=yes
  kill -TERM "$child" 2>/dev/null || :
}
trap 'stopped=yes interrupted=yes; tell' TERM INT

# A signal ends `wait` early, so it waits again, for the real code. 127: that was told already.
during() {
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
}

during "$@"
if [ "$code" = 4 ]; then
  if [ -z "$stopped" ]; then
    printf '{"level":"info","message":"another run of the task goes on: looks again in %s s"}\n' \
      "$seconds" >&2
    during sleep "$seconds"
  fi
  code=5
  [ -n "$stopped" ] || during "$@"
fi
[ "$code" != 4 ] || code=0
# Told before it could listen.
[ "$code" != 143 ] || [ -z "$stopped" ] || code=5
exit "$code"
