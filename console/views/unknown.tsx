/** The view of an unknown address. */
import { addressOf } from "../location.ts";
import { Empty } from "../parts/notice.tsx";
import { View } from "../parts/view.tsx";

export function Unknown() {
  return (
    <View title="No such page">
      <Empty title="The console has no view at this address.">
        <p>Check it for a missing or an extra part, or search for the event id above.</p>
        <p>
          <a href={addressOf("")}>Go to the start</a>
        </p>
      </Empty>
    </View>
  );
}
