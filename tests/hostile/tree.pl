# A program that does not want to end. It opens the file of its first argument and every process of it keeps
# that open, so that whoever looks for it finds what is left. The second argument says how it behaves.
use strict;
use warnings;
use POSIX qw(setsid dup2);

my ($marker, $manner) = @ARGV;
open(my $held, '>>', $marker) or die "cannot open $marker: $!";
# Kept open over every fork and exec.
$^F = 255;
dup2(fileno($held), 200);

sub stay { while (1) { sleep 60 } }

sub deaf { $SIG{$_} = 'IGNORE' for qw(TERM INT HUP QUIT PIPE) }

# Forks twice and begins a session: what is left has no parent but whoever takes orphans in.
sub escape {
    my ($then) = @_;
    my $child = fork() // die "no fork";
    if ($child == 0) {
        setsid();
        my $grandchild = fork() // exit 1;
        exit 0 if $grandchild;
        deaf();
        $then->();
        exit 0;
    }
    waitpid($child, 0);
}

my %manners = (
    deaf     => sub { deaf(); stay() },
    escapes  => sub { escape(\&stay) for 1 .. 3; stay() },
    leaves   => sub { escape(\&stay); exit 3 },
    renamed  => sub { $0 = '[kworker/0:1]'; deaf(); stay() },
    loud     => sub { $| = 1; my $line = 'x' x 65536; while (1) { print $line; print STDERR $line } },
    at_once  => sub { exit 1 },
    holds    => sub { escape(sub { stay() }); close(STDIN); exit 0 },
    chain    => sub { for (1 .. 12) { my $pid = fork() // last; if ($pid) { deaf(); stay() } } stay() },
    breeds   => sub {
        deaf();
        # Every child that dies is followed by two, up to a bound.
        for (1 .. 6) { my $pid = fork(); next if $pid; setsid(); deaf(); for (1 .. 3) { fork() } stay() }
        stay();
    },
    naked    => sub { %ENV = (); setsid(); exec('/bin/sleep', '600') },
);
my @names = sort keys %manners;
$manner = $names[($ENV{GRACE_WORKER} // 0) % @names] if ($manner // 'each') eq 'each';
($manners{$manner} // die "no manner $manner")->();
