/**
 * The group starter in Perl: the same as in bash (starter-text.ts), for two thirds of its cost. Perl forks once for a
 * command, reads each request as a whole, and learns of every end by itself, so that no shell has to wait next to each
 * command; and what it does for one group does not copy its memory. It loads no module.
 *
 * What it reads differs in one line: `run ID LENGTH`, followed by LENGTH bytes, which are the words, a zero byte after
 * each. The command itself is the first process of its group.
 *
 * `script`: Perl text with two subs. `enter(words)` is called in the new process: it does what has to be done there and
 * answers the command, or undef with words in $@. `leave(status, seconds of processor time, seconds of wall time, words)`
 * is called here when the command has ended; it answers the exit code, or undef when the process was never what it was
 * to become.
 */
export function perlStarterText(script: string): string {
  return `
use strict;
no warnings;
my ($grace, $trial) = @ARGV;
open(our $socket, '+<&=', 3) or exit 125;
fcntl($socket, 2, 1);
binmode $socket;
$SIG{PIPE} = 'IGNORE';
# In a fork that has not become its command yet it ends the fork.
my $me = $$;
for my $name (qw(TERM INT HUP)) { $SIG{$name} = sub { exit 143 if $$ != $me } }
my (%live, %left, %words, %began, $buffer);
${script}
sub say_line { my $text = "$_[0]\\n"; while (length $text) { my $n = syswrite($socket, $text); return 0 unless $n; substr($text, 0, $n, '') } 1 }
sub memoir_lives { say_line('') }
sub uptime { open(my $file, '<', '/proc/uptime') or return 0; (split ' ', <$file>)[0] }
# A signal may come right before the wait begins, so no wait is long while something runs.
pipe(my $ear, my $mouth);
$SIG{CHLD} = sub { syswrite($mouth, '.') };
if ($trial ne '') {
  exit 123 if open(my $file, '+<', $trial);
  open(my $file, '<', $trial) or exit 124;
  exit 124 unless <$file> eq "original\\n";
}
sub reap {
  while (1) {
    my @before = times;
    my $pid = waitpid(-1, 1);
    return if $pid <= 0;
    my $status = $?;
    my @after = times;
    my $id = delete $left{$pid};
    next unless defined $id;
    my $cpu = $after[2] + $after[3] - $before[2] - $before[3];
    my $code = leave($status, $cpu, uptime() - delete $began{$id}, @{delete $words{$id}});
    say_line(defined $code ? "end $id $code" : "end $id 125");
  }
}
sub run {
  my ($id, @words) = @_;
  my $pid = fork;
  return say_line("end $id 125") unless defined $pid;
  if (!$pid) {
    setpgrp(0, 0);
    $SIG{$_} = 'DEFAULT' for qw(TERM INT HUP PIPE CHLD);
    my @command = enter(@words);
    if (@command) {
      exec { $command[0] } @command;
      my $code = $! == 2 ? 127 : 126;
      syswrite(STDERR, "$command[0]: $!\\n");
      exit $code;
    }
    exit 125;
  }
  setpgrp($pid, $pid);
  ($live{$id}, $left{$pid}, $words{$id}, $began{$id}) = ($pid, $id, \\@words, uptime());
  say_line("pid $id $pid");
}
sub is_left { kill(0, -$_[0]) }
sub answer {
  my ($word, $id, $rest) = @_;
  my $pid = $live{$id};
  if ($word eq 'ended' || $word eq 'left') {
    if ($pid && is_left($pid)) { say_line("left $id") } else { delete $live{$id}; say_line("gone $id") }
  }
  elsif ($word eq 'term') { kill('TERM', -$pid) if $pid }
  elsif ($word eq 'kill') { kill('KILL', -$pid) if $pid }
}
say_line('ready');
while (1) {
  my $wanted = '';
  vec($wanted, fileno($socket), 1) = 1;
  vec($wanted, fileno($ear), 1) = 1;
  select(my $ready = $wanted, undef, undef, %left ? 0.5 : undef);
  sysread($ear, my $rung, 4096) if vec($ready, fileno($ear), 1);
  reap();
  next unless vec($ready, fileno($socket), 1);
  my $n = sysread($socket, $buffer, 65536, length $buffer);
  next if !defined $n && $! == 4;
  last unless $n;
  while ((my $end = index($buffer, "\\n")) >= 0) {
    my ($word, $id, $length) = split / /, substr($buffer, 0, $end);
    if ($word eq 'run') {
      last if length($buffer) < $end + 1 + $length;
      my @words = split /\\0/, substr($buffer, $end + 1, $length), -1;
      pop @words;
      substr($buffer, 0, $end + 1 + $length, '');
      run($id, @words);
    }
    else { substr($buffer, 0, $end + 1, ''); answer($word, $id) }
  }
}
# Memoir has ended. Groups are looked at often, so that no number is signalled that has come to mean another group.
kill('TERM', -$_) for values %live;
for (my $tenths = $grace * 10; %live && $tenths > 0; $tenths--) {
  select(undef, undef, undef, 0.1);
  reap();
  for my $id (keys %live) { delete $live{$id} unless is_left($live{$id}) }
}
kill('KILL', -$_) for values %live;
`;
}
