import { mount } from "../../ui/mount";
import { begin } from "../talk/begin";
import "./console.css";
import "./air.css";
import "./modal.css";
import "./channel.css";
import "./dense.css";
import "./panels.css";
import "./touch.css";
import { ConsolePage } from "./ConsolePage";

/** As many as a connection may have: a wall is there to hear all of them. */
const CONSOLE_SLOTS = 16;
const phone = await begin(CONSOLE_SLOTS, true);
if (phone) mount(() => <ConsolePage phone={phone} />, "console");
