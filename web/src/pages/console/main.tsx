import { mount } from "../../ui/mount";
import { begin } from "../talk/begin";
import "./console.css";
import { ConsolePage } from "./ConsolePage";

const CONSOLE_SLOTS = 8;
const phone = await begin(CONSOLE_SLOTS);
if (phone) mount(() => <ConsolePage phone={phone} />);
