package fault

// Near gives the word of words that a person who typed got most likely meant, or "" where none is
// close. A third of the letters may differ.
func Near(got string, words []string) string {
	best, limit := "", max(1, (len(got)+1)/3)
	for _, w := range words {
		if d := distance(got, w); d < limit || d == limit && best == "" {
			best, limit = w, d
		}
	}
	if limit >= len(got) {
		return ""
	}
	return best
}

// distance counts the letters to insert, delete, replace or swap with their neighbour to make b of
// a.
func distance(a, b string) int {
	before, last := []int(nil), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			row[j+1] = min(last[j+1], row[j]) + 1
			if a[i] == b[j] {
				row[j+1] = min(row[j+1], last[j])
			} else {
				row[j+1] = min(row[j+1], last[j]+1)
			}
			if swapped(a[:i+1], b[:j+1]) {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

// swapped tells whether two texts end with the same two letters, each after the other.
func swapped(a, b string) bool {
	i, j := len(a), len(b)
	return i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1]
}
