package format

// sums have values by hashes, which are never 0. Most keys of a file stand there once, so that a
// value is looked for and made in one step: in a file of many keys each step waits for memory.
type sums[V any] struct {
	slots []sumSlot[V] // as many as a power of two; a sum stands in its own one, or soon behind it
	used  int
}

type sumSlot[V any] struct {
	sum   uint64 // 0: nothing stands here
	value V
}

func newSums[V any]() sums[V] { return sums[V]{slots: make([]sumSlot[V], 16)} }

// value gives the value of a sum, and whether it is a new one. It is there until the next call.
func (s *sums[V]) value(sum uint64) (v *V, fresh bool) {
	if s.used >= len(s.slots)/4*3 {
		s.grow()
	}
	slot := s.find(sum)
	if fresh = slot.sum == 0; fresh {
		slot.sum = sum
		s.used++
	}
	return &slot.value, fresh
}

// find gives the slot of a sum, or the one that it would be put into.
func (s *sums[V]) find(sum uint64) *sumSlot[V] {
	i := s.own(sum)
	for s.slots[i].sum != 0 && s.slots[i].sum != sum {
		i = s.next(i)
	}
	return &s.slots[i]
}

// own gives the slot where the search for a sum begins.
func (s *sums[V]) own(sum uint64) int { return int(sum & uint64(len(s.slots)-1)) }

// next gives the slot behind another one.
func (s *sums[V]) next(i int) int { return (i + 1) & (len(s.slots) - 1) }

func (s *sums[V]) grow() {
	old := s.slots
	s.slots = make([]sumSlot[V], 2*len(old))
	for _, slot := range old {
		if slot.sum != 0 {
			*s.find(slot.sum) = slot
		}
	}
}

// forget takes a sum away. Those that stand behind it move up, unless they would come to stand
// before their own slots.
func (s *sums[V]) forget(sum uint64) {
	gap := s.own(sum)
	for s.slots[gap].sum != sum {
		if s.slots[gap].sum == 0 {
			return
		}
		gap = s.next(gap)
	}
	s.used--
	for i := s.next(gap); s.slots[i].sum != 0; i = s.next(i) {
		if s.behind(i, s.own(s.slots[i].sum)) >= s.behind(i, gap) {
			s.slots[gap], gap = s.slots[i], i
		}
	}
	s.slots[gap] = sumSlot[V]{}
}

// behind gives how many slots i stands behind another one, all around.
func (s *sums[V]) behind(i, other int) int { return (i - other) & (len(s.slots) - 1) }
