# A toy web service. The file of its second argument says how it behaves: ok, 500, slow, hang.
use strict;
use warnings;
use IO::Socket::INET;

my ($port, $file) = @ARGV;
$SIG{PIPE} = 'IGNORE';
my $server = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $port, Listen => 64, ReuseAddr => 1)
    or die "no port $port: $!";
while (my $client = $server->accept()) {
    while (defined(my $line = <$client>)) { last if $line =~ /^\r?\n$/ }
    open(my $in, '<', $file) or die "no $file: $!";
    my $manner = <$in> // 'ok';
    chomp $manner;
    close($in);
    sleep 3600 if $manner eq 'hang';
    select(undef, undef, undef, 1.5) if $manner eq 'slow';
    my ($code, $body) = $manner eq '500' ? ('500 Broken', 'broken') : ('200 OK', 'well');
    print $client "HTTP/1.1 $code\r\ncontent-length: " . length($body) . "\r\nconnection: close\r\n\r\n$body";
    close($client);
}
