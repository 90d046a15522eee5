SELECT toInt64(sum(abs(difference))) FROM conservation
