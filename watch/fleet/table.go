package fleet

import (
	"fmt"
	"time"
)

// A Table is where the hosts of a fleet meet: DynamoDB, or what answers as it does. It is asked by
// conditional updates and by queries alone. An update is tried once: what is tried again is asked
// anew, by whoever knows what it means by now.
type Table interface {
	Update(Update) Answer
	Query(Query) Answer
}

// A Key names an item. Items with the same Part are together, ordered by Sort.
type Key struct{ Part, Sort string }

// An Item has texts and whole numbers, by the names of its attributes. Times are milliseconds since
// the beginning of 1970.
type Item map[string]any

// Text gives a text; "" where there is none.
func (i Item) Text(attribute string) string {
	text, _ := i[attribute].(string)
	return text
}

// Number gives a number; 0 where there is none.
func (i Item) Number(attribute string) int64 {
	number, _ := i[attribute].(int64)
	return number
}

// An Update changes one item, which it makes where there is none, where all of If hold.
type Update struct {
	Key    Key
	Set    Item
	Remove []string
	Add    map[string]int64
	If     []Any
}

// An Any holds where one of its tests does.
type Any []Test

// A Test looks at one attribute.
type Test struct {
	Attribute string
	Is        Relation
	Value     any // none for Absent
}

// A Relation is how an attribute is to stand to a value.
type Relation int

// The relations.
const (
	Absent Relation = iota
	Equal
	Less
)

func absent(attribute string) Test { return Test{Attribute: attribute} }

func equal(attribute string, value any) Test { return Test{attribute, Equal, value} }

func less(attribute string, value int64) Test { return Test{attribute, Less, value} }

// A Query asks for the items of a part, from a Sort on.
type Query struct {
	Part, From string
	Consistent bool // all that was acknowledged is in it
	Count      bool // of them, not the items
}

// An Answer is what a table says.
type Answer struct {
	Items []Stored
	Count int
	// Refused: the condition of an update does not hold; Old is what is there, nil being nothing.
	Refused bool
	Old     Item
	// Date is when the table answered, in whole seconds; zero: there is no saying.
	Date time.Time
	// Err is why it is not known whether the request was obeyed. Silent: nobody has said anything.
	Err    error
	Silent bool
}

// A Stored is an item with the name that it has in its part.
type Stored struct {
	Sort string
	Item Item
}

// The parts of the table, and the items in them. A look begins among the slots and gets what comes
// after them in one query: that is why what is not of a slot sorts behind.
const (
	slotSort   = "slot#"
	stateSort  = "state"
	changeSort = "svc#"
	hostSort   = "host#"
)

// PartOf gives the part of a group.
func PartOf(fleet, group string) string { return fleet + "#" + group }

// HostsOf gives the part of the hosts of a group.
func HostsOf(fleet, group string) string { return PartOf(fleet, group) + "#hosts" }

func slotName(number int) string { return fmt.Sprintf("%s%06d", slotSort, number) }

func changeName(service, id string) string { return changeSort + service + "#" + id }

// An Amount is so many hosts, or so many of a hundred.
type Amount struct {
	Number  int
	Percent int // where it is not 0, Number does not count
}

// Of gives how many of hosts that is, at least one.
func (a Amount) Of(hosts int) int {
	if a.Percent == 0 {
		return max(1, a.Number)
	}
	return max(1, hosts*a.Percent/100)
}
