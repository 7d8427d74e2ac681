package format

import (
	"maps"
	"math/rand/v2"
	"testing"
)

// Sums are a map, whatever stands in them and goes, around their end, too. So few bits differ that
// most of them stand in others' slots.
func TestSums(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for _, low := range []uint64{3, 0xff, 0xffff} {
		got, want := newSums[int](), make(map[uint64]int)
		for i := range 20_000 {
			sum := 1 + random.Uint64()&low<<(random.Uint64()%3)
			if random.IntN(5) < 2 {
				got.forget(sum)
				delete(want, sum)
				continue
			}
			v, fresh := got.value(sum)
			if _, known := want[sum]; fresh == known || !fresh && *v != want[sum] {
				t.Fatalf("%d, %d: %v %d, want %d", low, sum, fresh, *v, want[sum])
			}
			*v, want[sum] = i, i
		}
		all := make(map[uint64]int)
		for _, s := range got.slots {
			if s.sum != 0 {
				all[s.sum] = s.value
			}
		}
		if !maps.Equal(all, want) || got.used != len(want) {
			t.Errorf("%d: %d of %d, want %d", low, len(all), got.used, len(want))
		}
	}
}

// What a key costs does not depend on the allocator: many of them take a few slices that grow.
func TestKeysTakeFewAllocations(t *testing.T) {
	computes(t)
	for name, document := range map[string]string{
		"toml":       count(1<<18, "k%d=1\n") + count(1<<18, "[[a]]\n'b.%d'.c=1\n") + "d={" + count(1<<18, "k%d=1,") + "b=1}\n",
		"properties": count(1<<18, "k%d=1\n"),
	} {
		data := []byte(document)
		if n := testing.AllocsPerRun(1, func() {
			if err := (Format{name}).Check(data); err != nil {
				t.Error(err)
			}
		}); n > 100 {
			t.Errorf("%s: %d bytes take %v allocations", name, len(data), n)
		}
	}
}
