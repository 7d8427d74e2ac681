package systemd_test

import (
	"math/big"
	"slices"
	"sync"
	"time"
)

const (
	rotations = 20
	within    = 2 * time.Second // from PutSecretValue to the new certificate
)

// loud is held by who wants the time of all processors: machines that are tested side by side take
// turns.
var loud sync.Mutex

// A put is one rotation: when the certificate came to AWS, and how long it took until nginx served
// it.
type put struct {
	serial *big.Int
	at     time.Time
	took   time.Duration
}

// A certificate that rotates under load costs no request, is served within two seconds, and costs
// one reload.
func rotateUnderLoad(s *site) {
	loud.Lock()
	defer loud.Unlock()
	cursor := s.cursor()
	l := s.underLoad(4, 20*time.Millisecond)
	defer l.stop()
	begun := time.Now()
	puts := s.rotateOften(cursor)
	lasted := since(begun)
	requests := l.end()
	s.settled()

	errs := failed(requests)
	if len(errs) > 0 {
		s.t.Errorf("%d requests failed, the first: %v", len(errs), errs[0])
	}
	if n := s.reloads(cursor, "nginx.service"); n != rotations {
		s.t.Errorf("%d rotations, %d reloads of nginx", rotations, n)
	}
	if n := stale(requests, puts); n > 0 {
		s.t.Errorf("%d requests were answered with a certificate that had been replaced more than %v before", n, within)
	}
	slices.SortFunc(puts, func(a, b put) int { return int(a.took - b.took) })
	median, slowest := puts[rotations/2].took, puts[rotations-1].took
	if slowest > within {
		s.t.Errorf("a new certificate was served after %v, which is more than %v", slowest, within)
	}
	s.t.Logf("%d rotations in %v, %d requests of which %d failed; from PutSecretValue to the new certificate %v (median), %v (slowest)",
		rotations, lasted, len(requests), len(errs), median.Round(time.Millisecond), slowest.Round(time.Millisecond))
}

// rotateOften rotates once a second, or as often as nginx is reloaded for it.
func (s *site) rotateOften(cursor string) (puts []put) {
	s.t.Helper()
	pace := time.NewTicker(time.Second)
	defer pace.Stop()
	for i := range rotations {
		at := time.Now()
		p := s.rotate()
		s.until("the new certificate is served", func() bool { return s.serves(p) })
		puts = append(puts, put{p.Certificate.SerialNumber, at, time.Since(at)})
		s.until("nginx was reloaded for it", func() bool { return s.reloads(cursor, "nginx.service") > i })
		<-pace.C
	}
	return puts
}

// stale counts the requests that began late after a rotation and were answered with a certificate
// from before it.
func stale(requests []request, puts []put) (n int) {
	newest := make(map[string]int) // which of the puts a serial number is
	for i, p := range puts {
		newest[p.serial.String()] = i + 1
	}
	for _, r := range requests {
		if r.err != nil {
			continue
		}
		if next := newest[r.serial.String()]; next < len(puts) && r.begun.Sub(puts[next].at) > within {
			n++
		}
	}
	return n
}
