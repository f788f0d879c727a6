package books

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"pcapdir/source/packet"
)

func sample() File {
	return File{
		Fates: Fates{
			Read: Tally{10, 1000}, Handled: Tally{6, 700},
			Dropped:  Drops{packet.DropNotIP: {3, 200}, packet.DropIPLength: {1, 100}},
			Tunneled: 2,
		},
		Handed:  6 + 1, // what is not IP goes nowhere
		Skipped: 2,
	}
}

// What is missing anywhere is found, in packets and in bytes.
func TestCheckFindsWhatIsMissing(t *testing.T) {
	if f := sample(); f.Check() != nil {
		t.Fatal(f.Check())
	}
	for name, spoil := range map[string]func(*File){
		"a record without a fate": func(f *File) { f.Read.Packets++ },
		"bytes without a fate":    func(f *File) { f.Read.Bytes++ },
		"handled twice":           func(f *File) { f.Handled.Packets++ },
		"a drop lost":             func(f *File) { f.Dropped[packet.DropNotIP].Packets-- },
		"bytes of a drop lost":    func(f *File) { f.Dropped[packet.DropIPLength].Bytes-- },
		"handled, not handed on":  func(f *File) { f.Handed-- },
		"not handed on before":    func(f *File) { f.Skipped-- },
		"a tunnel's packet lost":  func(f *File) { f.Tunneled++ },
	} {
		f := sample()
		if spoil(&f); f.Check() == nil {
			t.Errorf("%s goes unnoticed", name)
		}
	}
}

func TestFlowFindsWhatIsMissing(t *testing.T) {
	good := Flow{Handed: 10, Relayed: 4, Made: 1, Arrived: 7}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for _, bad := range []Flow{{10, 4, 1, 6}, {11, 4, 1, 7}, {10, 3, 1, 7}, {10, 4, 2, 7}} {
		if bad.Check() == nil {
			t.Errorf("%+v goes unnoticed", bad)
		}
	}
}

// Every field takes part in sums: with each set alone, it is there twice.
func TestAddForgetsNothing(t *testing.T) {
	var visit func(v reflect.Value, name string)
	var sum *Accounts
	visit = func(v reflect.Value, name string) {
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				visit(v.Field(i), name+"."+v.Type().Field(i).Name)
			}
		case reflect.Array:
			for i := range v.Len() {
				visit(v.Index(i), name)
			}
		default:
			v.SetUint(5)
			before := *sum
			sum.Live.Add(&before.Live)
			if got := v.Uint(); got != 10 {
				t.Errorf("%s: 5 and 5 are %d", name, got)
			}
			*sum = Accounts{}
		}
	}
	sum = &Accounts{}
	visit(reflect.ValueOf(&sum.Live).Elem(), "Totals")
}

func TestDropsKeepTheirNames(t *testing.T) {
	want := sample().Dropped
	text, err := json.Marshal(want)
	if err != nil || string(text) != `{"non_ip":{"Packets":3,"Bytes":200},"truncated_IP_len":{"Packets":1,"Bytes":100}}` {
		t.Errorf("%s, %v", text, err)
	}
	got := Drops{packet.DropEmpty: {1, 1}} // what was there before is gone
	if err := json.Unmarshal(text, &got); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if err := json.Unmarshal([]byte(`{"gone":{"Packets":1}}`), &got); err == nil || !strings.Contains(err.Error(), "gone") {
		t.Errorf("a reason that is not known: %v", err)
	}
}
