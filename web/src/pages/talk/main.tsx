import { mount } from "../../ui/mount";
import { begin } from "./begin";
import "./talk.css";
import "./key.css";
import "./groups.css";
import "./covers.css";
import { TalkPage } from "./TalkPage";

const phone = await begin();
if (phone) mount(() => <TalkPage phone={phone} />);
