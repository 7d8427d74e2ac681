package sources

import "testing"

func BenchmarkParseRef(b *testing.B) {
	for b.Loop() {
		if _, err := ParseRef(Secret, "shared::prod/app/database-credentials:AWSPREVIOUS"); err != nil {
			b.Fatal(err)
		}
	}
}
