package redact

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// large makes a secret of 64 KiB.
func large(seed byte) string {
	noise := rand.NewChaCha8([32]byte{seed})
	b := make([]byte, 48<<10)
	noise.Read(b)
	return base64.StdEncoding.EncodeToString(b)
}

// outputs of 60 KB.
func outputs() map[string]string {
	log := "2026/11/28 19:36:13 [warn] 4711#4711: *1 an upstream response is buffered to /var/lib/nginx/proxy/1/00/0000000001, client: 192.0.2.1\n"
	noise := make([]byte, 30<<10)
	rand.NewChaCha8([32]byte{99}).Read(noise)
	return map[string]string{
		"log":    strings.Repeat(log, 60<<10/len(log)),
		"hex":    hex.EncodeToString(noise),
		"base64": large(98)[:60<<10],
		"secret": large(1)[:60<<10],
	}
}

// used gives the processor's time that the process took, which others on the machine do not
// lengthen much.
func used(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkRedact(b *testing.B) {
	r := New()
	for i := range 100 {
		r.Learn(secret(large(byte(i))))
	}
	r.Learn(secret("x7Q!"))
	for name, output := range outputs() {
		b.Run(name, func(b *testing.B) {
			begun := used(b)
			for b.Loop() {
				r.Redact([]byte(output), "a template {{ secret }}")
			}
			b.ReportMetric(float64((used(b)-begun).Milliseconds())/float64(b.N), "cpu-ms/op")
		})
	}
}

func BenchmarkLearn(b *testing.B) {
	for name, value := range map[string]string{"64 KiB of base64": large(1), "64 KiB of words": strings.Repeat("canary in a coal mine, ", 2780), "a password": "hT7-q9Zp&0xKv'w\"3"} {
		b.Run(name, func(b *testing.B) {
			begun := used(b)
			for b.Loop() {
				New().Learn(secret(value))
			}
			b.ReportMetric(float64((used(b)-begun).Microseconds())/float64(b.N)/1000, "cpu-ms/op")
		})
	}
	b.Run("what is known", func(b *testing.B) {
		r := New()
		value := secret(large(1))
		for b.Loop() {
			r.Learn(value)
		}
	})
}

// A Redactor that is full takes the memory that its documentation names.
func TestMemoryIsBounded(t *testing.T) {
	heap := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	r := New()
	noise := rand.New(rand.NewPCG(1, 2))
	for i := range 9000 {
		b := make([]byte, 150)
		for j := range b {
			b[j] = byte(noise.Uint32())
		}
		r.Learn(secret(fmt.Sprintf("%d %s", i, base64.StdEncoding.EncodeToString(b))))
	}
	if r.prints.count > r.most {
		t.Errorf("%d fingerprints, at most %d", r.prints.count, r.most)
	}
	if r.used.Len() == 9000 {
		t.Errorf("not full: %d fingerprints", r.prints.count)
	}
	if took := heap() - before; took > 32<<20 {
		t.Errorf("%d fingerprints take %.1f MiB", r.prints.count, float64(took)/(1<<20))
	} else {
		t.Logf("%d fingerprints of %d values take %.1f MiB", r.prints.count, r.used.Len(), float64(took)/(1<<20))
	}
	runtime.KeepAlive(r)
}
