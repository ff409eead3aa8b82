package main

import "testing"

// The adapter speaks the protocol; pytest-reedbackup tests the rest: see README.md.
func TestItSaysHelloAndEnds(t *testing.T) {
	hello := answered(request{Method: "hello"})["result"].(object)
	if hello["protocol"] != 1 {
		t.Errorf("protocol %v", hello["protocol"])
	}
	shutdown := answered(request{Method: "shutdown"})["result"].(object)
	if value, found := shutdown["value"]; value != nil || !found {
		t.Errorf("shutdown answered %v", shutdown)
	}
}
