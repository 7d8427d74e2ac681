package redact

import (
	"net"
	"strings"

	"github.com/rendered/rendered/internal/lazyregexp"
)

var (
	fewDigits = lazyregexp.New(`^[+-]?[0-9]{0,5}$`)
	// hostName is a name in lower case, with a port perhaps, that ends as names of machines do: a
	// password may hold dots, too.
	hostName = lazyregexp.New(`^(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+(?:com|net|org|io|dev|app|cloud|aws|info|edu|gov|mil|int|example|test|invalid|local|localdomain|internal|intranet|lan|home|corp|private|arpa|svc|[a-z]{2})\.?(?::[0-9]{1,5})?$`)
	filePath = lazyregexp.New(`^~?(?:(?:/[a-z0-9._@+-]{1,40}){2,}|/[a-z]{1,10})/?$`)
)

// maxHarmless is how long a name of a machine may be (RFC 1035, 2.3.4), with a port.
const maxHarmless = 260

// harmless tells of a whole value that it is no secret, whatever it is called: everybody could
// guess it, and who hid it would hide much of what programs say.
func harmless(text string) bool {
	if len(text) > maxHarmless {
		return false
	}
	if fewDigits.MatchString(text) || common[strings.ToLower(text)] || hostName.MatchString(text) || filePath.MatchString(text) {
		return true
	}
	if host, _, err := net.SplitHostPort(text); err == nil {
		text = host
	}
	return net.ParseIP(text) != nil
}

// common are words that stand in configs and in what programs say.
var common = func() map[string]bool {
	words := make(map[string]bool)
	for _, w := range strings.Fields(`
		true false null none nil yes off auto default enabled disabled enable disable always never optional required prefer require
		allow deny public private internal external local localhost remote global shared master main primary replica secondary reader
		writer cluster server client service host port path file name user users username group admin root administrator guest nobody
		postgres postgresql mysql mariadb mongodb redis rabbitmq kafka elastic sqlite oracle sqlserver database schema table index
		nginx apache haproxy docker systemd ubuntu debian amazon
		app api web www http https tcp udp tls ssl ssh smtp ftp ldap dns
		prod production stage staging dev develop development test testing sandbox demo beta live
		debug info notice warn warning error fatal critical trace verbose silent
		password passwd secret token key keys certificate cert credentials login auth
		get post put delete patch head read write execute start stop restart reload status failed failure success succeeded
		c.utf-8 en_us.utf-8 posix utf8 utf-8 ascii base64 json yaml toml xml text plain html
		value values string number bool boolean object list array map
		foo bar baz example sample version latest stable current next
		connection connect timeout refused unknown invalid missing`) {
		words[w] = true
	}
	return words
}()
